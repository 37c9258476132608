import { afterEach, expect, test, vi } from "vitest";
import { readEvents } from "./sse.ts";

afterEach(() => {
  vi.useRealTimers();
});

async function eventsOf(bytes: Uint8Array, size: number): Promise<string[]> {
  const events: string[] = [];
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });
  for await (const { name, id, data } of readEvents(body)) events.push(`${name}|${id}|${data}`);
  return events;
}

test("events are the same however the bytes are cut, and keep-alives are no events", async () => {
  const bytes = new TextEncoder().encode(
    ': keep-alive\n\ndata: {"a":"é🙂"}\n\nevent: end\nid: 4\ndata: [DONE]\n\n',
  );
  for (let size = 1; size <= bytes.length; size += 1)
    expect(await eventsOf(bytes, size)).toEqual(['||{"a":"é🙂"}', "end|4|[DONE]"]);
});

test("a connection that says nothing, not even that it is there, is given up as lost; one that does is waited for", async () => {
  vi.useFakeTimers();
  let say: (text: string) => void = () => undefined;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      say = (text) => controller.enqueue(new TextEncoder().encode(text));
    },
    cancel() {
      cancelled = true;
    },
  });
  const next = readEvents(body).next();
  const ended = expect(next).rejects.toThrow(TypeError);
  for (let times = 0; times < 10; times += 1) {
    await vi.advanceTimersByTimeAsync(15_000);
    say(": keep-alive\n\n");
  }
  expect(cancelled).toBe(false);
  await vi.advanceTimersByTimeAsync(45_000);
  await ended;
  expect(cancelled).toBe(true);
});
