import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { RelayOptions } from "./relay-loop.ts";
import { relayInto, relayStream } from "./relay.ts";
import type { StreamEnd } from "./stream-failure.ts";
import type { SourceEnd, StreamPass } from "./stream-pass.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

/** Passes bytes on; "!" ends it well, "?" is not to be told, behind "~" another source is looked for. */
class FakePass implements StreamPass {
  begun = false;
  ended: StreamEnd | null = null;
  finishedBy: SourceEnd | null = null;
  pending: Promise<void> | null = null;
  held = "";
  resuming = false;
  /** Set: a failed source is replaced by the next of these. */
  others: (ReadableStream<Uint8Array> | null)[] | null = null;
  #next: ReadableStream<Uint8Array> | null = null;
  readonly #found = Promise.withResolvers<void>();

  takeSource(): ReadableStream<Uint8Array> | null {
    const next = this.#next;
    this.#next = null;
    return next;
  }

  #lookForAnother(): void {
    this.resuming = true;
    this.pending = this.#found.promise;
  }

  /** Another source was found, or nobody. */
  found(): void {
    this.#found.resolve();
  }

  resume(): Uint8Array | undefined {
    this.pending = null;
    if (this.resuming) {
      this.resuming = false;
      this.#next = this.others?.shift() ?? null;
      if (this.#next !== null) return undefined;
      this.ended = "origin-error";
      return encode("<nobody>");
    }
    return encode(this.held);
  }

  push(bytes: Uint8Array): Uint8Array | undefined {
    this.begun = true;
    const text = decode(bytes);
    if (text.includes("!")) this.ended = "done";
    if (text.includes("#")) this.ended = "budget-spent";
    if (text.includes("~")) this.#lookForAnother();
    return text === "?" ? undefined : bytes;
  }

  finish(cause: SourceEnd): Uint8Array | undefined {
    this.finishedBy = cause;
    if (this.others !== null && !this.resuming && cause !== "client-gone" && cause !== "deadline") {
      this.#lookForAnother();
      return undefined;
    }
    this.resuming = false;
    if (cause === "client-gone" || cause === "stalled" || cause === "deadline") this.ended = cause;
    else this.ended = "origin-error";
    return encode(`<${cause}>`);
  }
}

/** What is read comes in a buffer that is used again. */
class CopyingPass extends FakePass {
  override push(bytes: Uint8Array): Uint8Array | undefined {
    return super.push(bytes)?.slice();
  }
}

type Front = typeof relayStream;
const fronts: readonly (readonly [string, Front])[] = [
  ["pulled", relayStream],
  ["into a pipe", (source, pass, options) => relayInto(new TransformStream(), source, pass, options)],
];
let front: Front = relayStream;

function setUp(options: Partial<RelayOptions> = {}) {
  let source: ReadableStreamDefaultController<Uint8Array> | undefined;
  const cancelled: unknown[] = [];
  const ends: StreamEnd[] = [];
  const pass = new FakePass();
  const stream = front(
    new ReadableStream<Uint8Array>({
      start: (controller) => {
        source = controller;
      },
      cancel: (reason) => {
        cancelled.push(reason);
      },
    }),
    pass,
    {
      keepAliveMs: 15_000,
      gatherMs: 0,
      firstTokenTimeoutMs: 60_000,
      gapTimeoutMs: 20_000,
      deadlineMs: 600_000,
      onEnd: (end) => ends.push(end),
      ...options,
    },
  );
  if (source === undefined) throw new Error("start runs at once");
  return { source, cancelled, ends, pass, reader: stream.getReader() };
}

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

test("a client that reads slowly is no stalled engine, and nothing piles up meanwhile", async () => {
  front = relayStream;
  const { source, reader, ends } = setUp({ gapTimeoutMs: 2000 });
  source.enqueue(encode("a"));
  await reader.read();
  for (let at = 0; at < 100; at++) source.enqueue(encode("b"));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ends).toEqual([]);
  expect(source.desiredSize).toBeLessThan(-90);
  expect(decode((await reader.read()).value)).toBe("b");
  await reader.cancel();
});

test("a pipe is written to ahead of a slow client, but only so far, and goes on when the client does", async () => {
  front = (source, pass, options) => relayInto(new TransformStream(), source, pass, options);
  const { source, reader, ends } = setUp({ gapTimeoutMs: 2000 });
  const kilobyte = "k".repeat(1024);
  for (let at = 0; at < 200; at++) source.enqueue(encode(kilobyte));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ends).toEqual([]);
  const left = 1 - (source.desiredSize ?? 0);
  expect(left).toBeGreaterThan(170);
  expect(left).toBeLessThan(200);
  for (let at = 0; at < 200; at++) expect((await reader.read()).value?.byteLength).toBe(1024);
  await reader.cancel();
});

test("a pipe that makes room while another source is looked for reads nothing more of the one that failed", async () => {
  front = (source, pass, options) => relayInto(new TransformStream(), source, pass, options);
  const { source, reader, pass, ends } = setUp();
  pass.others = [new ReadableStream({ start: (controller) => controller.enqueue(encode("b")) })];
  // More than a client may be behind, and the failure with it.
  source.enqueue(encode(`~${"a".repeat(70_000)}`));
  expect((await reader.read()).value?.byteLength).toBe(70_001);
  await vi.advanceTimersByTimeAsync(1);
  source.enqueue(encode("late"));
  pass.found();
  expect(decode((await reader.read()).value)).toBe("b");
  await vi.advanceTimersByTimeAsync(1);
  expect(ends).toEqual([]);
  await reader.cancel();
});

test.each(fronts)(
  "%s: tokens that follow each other closely are told together, the first ones and the rest at the end each at once",
  async (_, each) => {
    let source: ReadableByteStreamController | undefined;
    const bytes = new ReadableStream({
      type: "bytes",
      start: (controller) => {
        source = controller;
      },
    });
    const stream = each(bytes, new CopyingPass(), {
      keepAliveMs: 15_000,
      gatherMs: 30,
      firstTokenTimeoutMs: 60_000,
      gapTimeoutMs: 20_000,
      deadlineMs: 600_000,
      onEnd: () => undefined,
    });
    const heard: string[] = [];
    const reading = stream.pipeTo(
      new WritableStream({
        write: (chunk) => {
          heard.push(decode(chunk));
        },
      }),
    );
    for (const token of "abcdefghijklmno") {
      source?.enqueue(encode(token.repeat(100)));
      await vi.advanceTimersByTimeAsync(10);
    }
    source?.close();
    source?.byobRequest?.respond(0);
    await reading;
    const told = heard.map((text) => text.replaceAll(/(.)\1{99}/g, "$1"));
    expect(told).toEqual(["a", "b", "c", "d", "efg", "hij", "klm", "no", "<source-ended>"]);
  },
);
