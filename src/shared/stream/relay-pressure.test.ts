/** Who waits for whom: a slow client, a pipe that is full, tokens that are gathered. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CopyingPass, decode, encode, fronts, intoPipe, openRelay } from "./relay-fixture.ts";
import { relayStream } from "./relay.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

test("a client that reads slowly is no stalled engine, and nothing piles up meanwhile", async () => {
  const { source, reader, ends } = openRelay(relayStream, { gapTimeoutMs: 2000 });
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
  const { source, reader, ends } = openRelay(intoPipe, { gapTimeoutMs: 2000 });
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
  const { source, reader, pass, ends } = openRelay(intoPipe);
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
    expect(told).toEqual(["a", "b", "c", "def", "ghi", "jkl", "mno", "<source-ended>"]);
  },
);

test.each(fronts)(
  "%s: an engine that falls silent after the budget was waited for has stalled, and is no client that takes its time",
  async (_, each) => {
    const { source, reader, pass, ends } = openRelay(each, { gapTimeoutMs: 2000 });
    source.enqueue(encode("a"));
    expect(decode((await reader.read()).value)).toBe("a");
    const decided = Promise.withResolvers<void>();
    pass.pending = decided.promise;
    source.enqueue(encode("b"));
    expect(decode((await reader.read()).value)).toBe("b");
    await vi.advanceTimersByTimeAsync(10);
    const silent = reader.read();
    decided.resolve();
    await vi.advanceTimersByTimeAsync(5000);
    expect(ends).toEqual(["stalled"]);
    expect(decode((await silent).value)).toBe("<stalled>");
    expect((await reader.read()).done).toBe(true);
  },
);

test("a pipe that makes room while the engine is read already is no second reader: the end waits until what is held was told", async () => {
  const { source, reader, pass, ends } = openRelay(intoPipe);
  const first = Promise.withResolvers<void>();
  pass.pending = first.promise;
  // More than a client may be behind.
  source.enqueue(encode("a".repeat(70_000)));
  await vi.advanceTimersByTimeAsync(1);
  first.resolve();
  await vi.advanceTimersByTimeAsync(1);
  expect((await reader.read()).value?.byteLength).toBe(70_000);
  await vi.advanceTimersByTimeAsync(1);
  const second = Promise.withResolvers<void>();
  pass.pending = second.promise;
  pass.held = "held!";
  source.enqueue(encode("b"));
  source.close();
  expect(decode((await reader.read()).value)).toBe("b");
  await vi.advanceTimersByTimeAsync(1);
  expect(pass.finishedBy).toBeNull();
  pass.ended = "done";
  second.resolve();
  expect(decode((await reader.read()).value)).toBe("held!");
  expect((await reader.read()).done).toBe(true);
  expect(ends).toEqual(["done"]);
});
