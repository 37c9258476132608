import * as fc from "fast-check";
import { expect, test } from "vitest";
import { EventWriter } from "./event-writer.ts";
import { frameOf } from "./plain-event.ts";

const utf8 = new TextEncoder();
const read = (bytes: Uint8Array | undefined): string | undefined => bytes && new TextDecoder().decode(bytes);
const eventOf = (from: number, to: number) => ({ from, to, end: to, completionTokens: 1 });

test("an event is its text in the client's frame", () => {
  const writer = new EventWriter();
  writer.event(utf8.encode("ab token cd"), eventOf(2, 8), frameOf("<", ">"));
  expect(read(writer.take())).toBe("< token>");
});

test("a text that JSON writes as it is goes into the frame, and of any other nothing is written", () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }));
  fc.assert(
    fc.property(text, (said) => {
      const writer = new EventWriter();
      writer.append(utf8.encode("before "));
      const isPlain = JSON.stringify(said) === `"${said}"` && /^[\u0020-\u007e]*$/.test(said);
      expect(writer.text(said, frameOf("<", ">"))).toBe(isPlain);
      expect(read(writer.take())).toBe(isPlain ? `before <${said}>` : "before ");
    }),
  );
});

test("nothing written is nothing taken, and what was taken is not taken again", () => {
  const writer = new EventWriter();
  expect(writer.take()).toBeUndefined();
  writer.append(utf8.encode("a"));
  expect(read(writer.take())).toBe("a");
  expect(writer.take()).toBeUndefined();
});

test("what was taken stays as it is while the writer goes on", () => {
  const writer = new EventWriter();
  writer.append(utf8.encode("first"));
  const first = writer.take();
  writer.append(utf8.encode("other"));
  expect([read(first), read(writer.take())]).toEqual(["first", "other"]);
});

test("any events in any sizes come out whole and in order", () => {
  const piece = fc.record({ text: fc.string({ maxLength: 3000 }), framed: fc.boolean() });
  fc.assert(
    fc.property(fc.array(fc.array(piece, { maxLength: 6 }), { maxLength: 5 }), (reads) => {
      const writer = new EventWriter();
      const frame = frameOf("data: <", ">\n\n");
      for (const pieces of reads) {
        for (const { text, framed } of pieces) {
          const bytes = utf8.encode(text);
          if (framed) writer.event(bytes, eventOf(0, bytes.length), frame);
          else writer.append(bytes);
        }
        const whole = pieces.map(({ text, framed }) => (framed ? `data: <${text}>\n\n` : text)).join("");
        expect(read(writer.take()) ?? "").toBe(whole);
      }
    }),
  );
});
