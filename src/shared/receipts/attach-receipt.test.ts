import { assert, asyncProperty, nat, property, string, subarray } from "fast-check";
import { describe, expect, it } from "vitest";
import { sealStream, withReceipt, withReceiptEvent } from "./attach-receipt.ts";

const events = (...data: readonly unknown[]): string =>
  data.map((one) => `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`).join("");
const receipt = { edgewise: { receipt: "a.b.c" } };

describe("a receipt in an answer", () => {
  it("stands beside the usage of a whole answer", () => {
    expect(JSON.parse(withReceipt('{"id":"1","usage":{"total_tokens":3}}', "a.b.c"))).toEqual({
      id: "1",
      usage: { total_tokens: 3 },
      ...receipt,
    });
  });

  it.each([
    ["the usage chunk", [{ choices: [{ finish_reason: "stop" }] }, { choices: [], usage: {} }], "[DONE]"],
    ["the last chunk", [{ choices: [1] }, { choices: [{ finish_reason: "stop" }] }], "[DONE]"],
    [
      "the text format's end",
      [
        { text: "a", done: false },
        { text: "", done: true },
      ],
      null,
    ],
    ["an error event", [{ choices: [1] }, { error: { message: "broke" } }], null],
  ])("goes into %s", (_what, data, done) => {
    const end = done === null ? [] : [done];
    expect(withReceiptEvent(events(...data, ...end), "a.b.c")).toBe(
      events(data[0], { ...data[1], ...receipt }, ...end),
    );
  });

  it("leaves bytes without an event as they are", () => {
    for (const tail of ["", ": keep-alive\n\n", "data: [DONE]\n\n"])
      expect(withReceiptEvent(tail, "a")).toBe(tail);
  });

  it("stays out of the text, whatever the text is", () => {
    assert(
      property(string(), (text) => {
        const sealed = withReceiptEvent(
          events({ content: text }, { content: text, usage: {} }, "[DONE]"),
          "r",
        );
        expect(sealed).toBe(
          events({ content: text }, { content: text, usage: {}, edgewise: { receipt: "r" } }, "[DONE]"),
        );
      }),
    );
  });
});

describe("a sealed stream", () => {
  const text = events({ n: 1, text: "ü😀" }, { n: 2 }, { n: 3 }, "[DONE]");
  const bytes = new TextEncoder().encode(text);

  /** The relay's word that it is over comes before its last bytes. */
  function source(cuts: readonly number[], endsAt: number) {
    const edges = [...cuts].sort((a, b) => a - b);
    const pieces = [0, ...edges].map((from, at) => bytes.slice(from, edges[at] ?? bytes.length));
    let at = 0;
    let cancelled: unknown = null;
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const piece = pieces[at];
          at += 1;
          if (piece === undefined) controller.close();
          else controller.enqueue(piece);
        },
        cancel: (reason) => {
          cancelled = reason;
        },
      },
      { highWaterMark: 0 },
    );
    return { stream, ended: () => at > endsAt, cancelled: () => cancelled };
  }

  it("is the same with the receipt in its last event, however its events come", async () => {
    // A relay writes whole events.
    const edges = [{ n: 1, text: "ü😀" }, { n: 2 }, { n: 3 }].map(
      (_event, at) =>
        new TextEncoder().encode(
          text
            .split("\n\n")
            .slice(0, at + 1)
            .join("\n\n"),
        ).length + 2,
    );
    await assert(
      asyncProperty(subarray(edges), nat(3), async (cuts, before) => {
        // The end is told before the last event's bytes.
        const endsAt = Math.min(before, cuts.filter((cut) => cut <= (edges[1] ?? 0)).length);
        const { stream, ended } = source(cuts, endsAt);
        let signed = 0;
        const sealed = await new Response(
          sealStream(stream, 1, ended, async () => {
            signed += 1;
            return "r";
          }),
        ).text();
        expect(sealed).toBe(
          events({ n: 1, text: "ü😀" }, { n: 2 }, { n: 3, edgewise: { receipt: "r" } }, "[DONE]"),
        );
        expect(signed).toBe(1);
      }),
    );
  });

  it("holds the last finish reason back, and nothing before it, also where what follows is no JSON", async () => {
    const chunks = [
      { choices: [{ index: 0, delta: { content: '"finish_reason":"' }, finish_reason: null }] },
      { choices: [{ index: 1, delta: {}, finish_reason: "stop" }] },
      { choices: [{ index: 0, delta: { content: "more" }, finish_reason: null }] },
      { choices: [{ index: 0, delta: {}, finish_reason: "length" }] },
    ];
    const written = [...chunks.map((chunk) => events(chunk)), events("[DONE]")];
    let at = 0;
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const piece = written[at];
          at += 1;
          if (piece === undefined) controller.close();
          else controller.enqueue(new TextEncoder().encode(piece));
        },
      },
      { highWaterMark: 0 },
    );
    const reader = sealStream(
      stream,
      2,
      () => at > 4,
      async () => "r",
    ).getReader();
    const read: string[] = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      read.push(new TextDecoder().decode(value));
    }
    expect(read).toEqual([
      ...written.slice(0, 3),
      events({ ...chunks[3], edgewise: { receipt: "r" } }, "[DONE]"),
    ]);
  });

  it("passes the client's going on to the engine", async () => {
    const { stream, ended, cancelled } = source([5], 99);
    const reader = sealStream(stream, 1, ended, async () => "r").getReader();
    await reader.read();
    await reader.cancel("gone");
    expect(cancelled()).toBe("gone");
  });

  it("goes out as it is where there is nothing to sign", async () => {
    const { stream, ended } = source([], 0);
    expect(await new Response(sealStream(stream, 1, ended, async () => null)).text()).toBe(text);
  });
});
