import * as fc from "fast-check";
import { expect, test } from "vitest";
import { endedEvent, JournalRelay, readPosition, startedEvent } from "./watch-events.ts";

const journal =
  'id: 3\ndata: {"text":"id: 9"}\n\n: keep-alive\n\nevent: response.created\nid: 4\ndata: {"é":"\\nid: 7"}\n\nid: 5\ndata: [DONE]\n\n';

test("whatever pieces a journal comes in, its events go out whole, each under its turn's name", () => {
  const expected = journal
    .replace("id: 3\n", "id: r/3\n")
    .replace("id: 4\n", "id: r/4\n")
    .replace("id: 5\n", "id: r/5\n");
  const bytes = new TextEncoder().encode(journal);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
      const relay = new JournalRelay("r", 3);
      let told = "";
      let at = 0;
      for (const cut of [...cuts, bytes.length].toSorted((one, other) => one - other)) {
        const piece = relay.push(bytes.slice(at, cut));
        expect(piece === "" || piece.endsWith("\n\n")).toBe(true);
        told += piece;
        at = cut;
      }
      expect(told).toBe(expected);
      expect(relay.next).toBe(6);
    }),
  );
});

test("a piece that is cut off in mid-event goes out again from that event on", () => {
  const relay = new JournalRelay("r", 0);
  relay.push(new TextEncoder().encode("id: 0\ndata: a\n\nid: 1\nda"));
  expect(relay.next).toBe(1);
});

test.for([
  ["chatcmpl-abc/12", { responseId: "chatcmpl-abc", from: 13 }],
  ["resp_abc/end", { responseId: "resp_abc", from: null }],
  ["12", null],
  ["a/b", null],
  ["a/-1", null],
  ["a b/1", null],
  ["", null],
] as const)("the position %j is %j", ([id, position]) => {
  expect(readPosition(id)).toEqual(position);
});

test("a turn is announced with what was asked, and its end can be gone on from", () => {
  expect(startedEvent({ responseId: "r", beganMs: 5999, input: '[{"role":"user"}]' })).toBe(
    'event: turn.started\ndata: {"response_id":"r","created_at":5,"input":[{"role":"user"}]}\n\n',
  );
  expect(startedEvent({ responseId: "r", beganMs: 0, input: null })).toContain('"input":null');
  const id = /^id: (.*)$/m.exec(endedEvent("r"))?.[1] ?? "";
  expect(readPosition(id)).toEqual({ responseId: "r", from: null });
});
