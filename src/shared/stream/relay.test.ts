/** What becomes of a stream: its end, its cancel, its silence, its failure. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { RelayOptions } from "./relay-loop.ts";
import { decode, encode, fronts, type Front, openRelay } from "./relay-fixture.ts";
import { relayStream } from "./relay.ts";

let front: Front = relayStream;
const setUp = (options: Partial<RelayOptions> = {}) => openRelay(front, options);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe.each(fronts)("%s", (_, each) => {
  beforeEach(() => {
    front = each;
  });

  test("what one read brings is one write, and a good end is told once", async () => {
    const { source, reader, ends, cancelled } = setUp();
    source.enqueue(encode("a"));
    expect(decode((await reader.read()).value)).toBe("a");
    source.enqueue(encode("b!"));
    expect(decode((await reader.read()).value)).toBe("b!");
    expect(ends).toEqual(["done"]);
    source.close();
    expect((await reader.read()).done).toBe(true);
    expect(ends).toEqual(["done"]);
    expect(cancelled).toEqual([]);
  });

  test("a chunk without bytes, as a source that is no byte stream may send, is not the end", async () => {
    const { source, reader, ends } = setUp();
    source.enqueue(encode("a"));
    expect(decode((await reader.read()).value)).toBe("a");
    source.enqueue(new Uint8Array(0));
    source.enqueue(encode("b!"));
    source.close();
    expect(decode((await reader.read()).value)).toBe("b!");
    expect((await reader.read()).done).toBe(true);
    expect(ends).toEqual(["done"]);
  });

  test("an engine that does not close after its good end is cancelled", async () => {
    const { source, reader, cancelled } = setUp();
    source.enqueue(encode("!"));
    await reader.read();
    const closed = reader.read();
    await vi.advanceTimersByTimeAsync(250);
    expect((await closed).done).toBe(true);
    expect(cancelled).toEqual(["done"]);
  });

  test("a pass that ends the answer itself lets the engine go", async () => {
    const { source, reader, ends, cancelled } = setUp();
    source.enqueue(encode("#"));
    expect(decode((await reader.read()).value)).toBe("#");
    expect((await reader.read()).done).toBe(true);
    expect(ends).toEqual(["budget-spent"]);
    expect(cancelled).toEqual(["budget-spent"]);
  });

  test("bytes that say nothing yet are waited out", async () => {
    const { source, reader } = setUp();
    source.enqueue(encode("?"));
    const read = reader.read();
    source.enqueue(encode("?"));
    source.enqueue(encode("now"));
    expect(decode((await read).value)).toBe("now");
    await reader.cancel();
  });

  test("the client's cancel reaches the engine at once and is told once", async () => {
    const { source, reader, ends, cancelled, pass } = setUp();
    source.enqueue(encode("a"));
    await reader.read();
    const waiting = reader.read();
    await reader.cancel("gone");
    expect((await waiting).done).toBe(true);
    expect(cancelled).toEqual(["gone"]);
    expect(ends).toEqual(["client-gone"]);
    expect(pass.finishedBy).toBe("client-gone");
  });

  test("the signal reaches the engine, before the first byte and between tokens", async () => {
    for (const tokens of [0, 1]) {
      const abort = new AbortController();
      const { source, reader, ends, cancelled } = setUp({ signal: abort.signal });
      if (tokens === 1) {
        source.enqueue(encode("a"));
        await reader.read();
      }
      const waiting = reader.read();
      abort.abort("reset");
      await expect(waiting).rejects.toThrow("aborted");
      expect(cancelled).toEqual(["reset"]);
      expect(ends).toEqual(["client-gone"]);
    }
  });

  test("a signal that fired before the start lets the engine go", async () => {
    const { reader, ends, cancelled } = setUp({ signal: AbortSignal.abort("early") });
    await expect(reader.read()).rejects.toThrow("aborted");
    expect(cancelled).toEqual(["early"]);
    expect(ends).toEqual(["client-gone"]);
  });

  test("silence is kept alive every 15 s, and not with every chunk", async () => {
    const { source, reader, ends } = setUp({ gapTimeoutMs: 100_000 });
    source.enqueue(encode("a"));
    await reader.read();
    for (let tick = 0; tick < 3; tick++) {
      const read = reader.read();
      await vi.advanceTimersByTimeAsync(15_001);
      expect(decode((await read).value)).toBe(": keep-alive\n\n");
    }
    const read = reader.read();
    source.enqueue(encode("b"));
    expect(decode((await read).value)).toBe("b");
    expect(ends).toEqual([]);
    await reader.cancel();
  });

  test("a gap is a stall, at its own time and not at the timer's", async () => {
    const { source, reader, ends, cancelled } = setUp({ gapTimeoutMs: 2000 });
    source.enqueue(encode("a"));
    await reader.read();
    const read = reader.read();
    await vi.advanceTimersByTimeAsync(1999);
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(2);
    expect(decode((await read).value)).toBe("<stalled>");
    expect((await reader.read()).done).toBe(true);
    expect(ends).toEqual(["stalled"]);
    expect(cancelled).toEqual(["stalled"]);
  });

  test("no first token in time is a stall, whatever the gap", async () => {
    const { reader, ends } = setUp({ firstTokenTimeoutMs: 5000, gapTimeoutMs: 1000 });
    const read = reader.read();
    await vi.advanceTimersByTimeAsync(4999);
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(2);
    expect(decode((await read).value)).toBe("<stalled>");
    await reader.read();
  });

  test("the deadline ends a stream that is alive", async () => {
    const { source, reader, ends } = setUp({ deadlineMs: 10_000 });
    for (let second = 0; second < 9; second++) {
      source.enqueue(encode("a"));
      await reader.read();
      await vi.advanceTimersByTimeAsync(1000);
    }
    const read = reader.read();
    await vi.advanceTimersByTimeAsync(1001);
    expect(decode((await read).value)).toBe("<deadline>");
    expect(ends).toEqual(["deadline"]);
    await reader.read();
  });

  test("an engine that breaks, and one that just ends, are told to the pass", async () => {
    const broken = setUp();
    broken.source.error(new Error("ECONNRESET"));
    expect(decode((await broken.reader.read()).value)).toBe("<source-failed>");
    expect((await broken.reader.read()).done).toBe(true);
    const ended = setUp();
    ended.source.close();
    expect(decode((await ended.reader.read()).value)).toBe("<source-ended>");
    expect(ended.ends).toEqual(["origin-error"]);
    await ended.reader.read();
  });

  test("what was read ahead of the source is told first", async () => {
    const { source, reader } = setUp({ firstChunk: encode("first") });
    source.enqueue(encode("second"));
    expect(decode((await reader.read()).value)).toBe("first");
    expect(decode((await reader.read()).value)).toBe("second");
    await reader.cancel();
  });

  test("while the pass waits for its budget nothing is read of the engine, then what was held goes on", async () => {
    const { source, pass, reader } = setUp();
    const budget = Promise.withResolvers<void>();
    pass.pending = budget.promise;
    pass.held = "held";
    source.enqueue(encode("before"));
    expect(decode((await reader.read()).value)).toBe("before");
    source.enqueue(encode("after"));
    const next = reader.read();
    budget.resolve();
    expect(decode((await next).value)).toBe("held");
    expect(decode((await reader.read()).value)).toBe("after");
    await reader.cancel();
  });

  describe("a source that fails is replaced", () => {
    const other = (...texts: readonly string[]) =>
      new ReadableStream<Uint8Array>({
        start: (controller) => {
          for (const text of texts) controller.enqueue(encode(text));
        },
      });

    test.each(["ends", "breaks"])("where it %s, and the client's read waits for the other", async (how) => {
      const { source, reader, pass, ends } = setUp();
      pass.others = [other("b", "c!")];
      source.enqueue(encode("a"));
      expect(decode((await reader.read()).value)).toBe("a");
      const read = reader.read();
      if (how === "ends") source.close();
      else source.error(new Error("broken"));
      await vi.advanceTimersByTimeAsync(100);
      pass.found();
      expect(decode((await read).value)).toBe("b");
      expect(decode((await reader.read()).value)).toBe("c!");
      expect(ends).toEqual(["done"]);
      await reader.cancel();
    });

    test("where it stalls: its late words are no part of the answer", async () => {
      const { source, reader, pass, cancelled } = setUp();
      pass.others = [other("b")];
      source.enqueue(encode("a"));
      await reader.read();
      const read = reader.read();
      await vi.advanceTimersByTimeAsync(20_000);
      expect(pass.finishedBy).toBe("stalled");
      expect(cancelled).toContain("stalled");
      pass.found();
      expect(decode((await read).value)).toContain("keep-alive");
      expect(decode((await reader.read()).value)).toBe("b");
      await reader.cancel();
    });

    test("keep-alives go on while one is looked for, and a search that takes too long is given up", async () => {
      const { source, reader, pass, ends } = setUp({ gapTimeoutMs: 40_000 });
      pass.others = [];
      source.enqueue(encode("a"));
      await reader.read();
      const read = reader.read();
      source.close();
      await vi.advanceTimersByTimeAsync(15_000);
      expect(decode((await read).value)).toContain("keep-alive");
      const next = reader.read();
      await vi.advanceTimersByTimeAsync(25_000);
      expect(ends).toEqual(["stalled"]);
      expect(decode((await next).value)).toContain("keep-alive");
    });

    test("where nobody is found, the failure is told", async () => {
      const { source, reader, pass, ends } = setUp();
      pass.others = [];
      const read = reader.read();
      source.close();
      await vi.advanceTimersByTimeAsync(10);
      pass.found();
      expect(decode((await read).value)).toBe("<nobody>");
      expect((await reader.read()).done).toBe(true);
      expect(ends).toEqual(["origin-error"]);
    });

    test("a client that leaves meanwhile ends it", async () => {
      const { source, reader, pass, ends } = setUp();
      pass.others = [other("b")];
      const read = reader.read();
      source.close();
      await vi.advanceTimersByTimeAsync(10);
      await reader.cancel();
      expect((await read).done).toBe(true);
      expect(ends).toEqual(["client-gone"]);
      pass.found();
      await vi.advanceTimersByTimeAsync(10);
      expect(ends).toEqual(["client-gone"]);
    });

    test("the deadline ends the search, too", async () => {
      const { source, reader, pass, ends } = setUp({ deadlineMs: 5000 });
      pass.others = [other("b")];
      const read = reader.read();
      source.close();
      await vi.advanceTimersByTimeAsync(5000);
      expect(decode((await read).value)).toBe("<deadline>");
      expect(ends).toEqual(["deadline"]);
    });
  });
});
