import { expect, test } from "vitest";
import { lateStream } from "./late-stream.ts";

function setUp() {
  const timers: (() => void)[] = [];
  const answering = Promise.withResolvers<Response>();
  const stream = lateStream(answering.promise, {
    keepAliveMs: 15_000,
    setTimer: (callback) => {
      timers.push(callback);
      return () => timers.splice(timers.indexOf(callback), 1);
    },
    errorEvent: (json) => `data: ${json}\n\n`,
  });
  const reader = stream.getReader();
  const next = async (): Promise<string | null> => {
    const { done, value } = await reader.read();
    return done ? null : new TextDecoder().decode(value);
  };
  return { timers, answering, reader, next };
}

const sse = (body: BodyInit | null): Response =>
  new Response(body, { headers: { "content-type": "text/event-stream; charset=utf-8" } });

test("silence is filled until the answer comes, which then goes on as it is", async () => {
  const { timers, answering, next } = setUp();
  expect(await next()).toBe(": keep-alive\n\n");
  const second = next();
  timers.shift()?.();
  expect(await second).toBe(": keep-alive\n\n");
  answering.resolve(sse("data: [DONE]\n\n"));
  expect(await next()).toBe("data: [DONE]\n\n");
  expect(await next()).toBeNull();
  expect(timers).toHaveLength(0);
});

test("a refusal that comes late is one event, then the end", async () => {
  const { answering, next } = setUp();
  expect(await next()).toBe(": keep-alive\n\n");
  answering.resolve(Response.json({ error: { code: "service_unavailable" } }, { status: 503 }));
  expect(await next()).toBe('data: {"error":{"code":"service_unavailable"}}\n\n');
  expect(await next()).toBeNull();
});

test("a client that leaves takes the late answer along", async () => {
  const { timers, answering, reader, next } = setUp();
  await next();
  const waiting = next();
  await reader.cancel("gone");
  await waiting;
  const cancelled = Promise.withResolvers<unknown>();
  answering.resolve(sse(new ReadableStream<Uint8Array>({ cancel: (reason) => cancelled.resolve(reason) })));
  expect(await cancelled.promise).toBe("client-gone");
  expect(timers).toHaveLength(0);
});
