import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { lateErrorEvent } from "../../src/shared/wire/wire-error.ts";
import type { TenantCall } from "./handle.ts";
import { orLate } from "./late-start.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const left = (): { readonly call: TenantCall; readonly underWay: string[] } => {
  const underWay: string[] = [];
  const correlation = { requestId: "req_1", traceparent: "00-1-1-00" };
  const scope = { correlation, background: { run: (name: string) => void underWay.push(name) } };
  return { call: { scope } as unknown as TenantCall, underWay };
};
const late = {
  responseId: () => "chatcmpl-1",
  errorEvent: (json: string) => lateErrorEvent(json, false),
  goesOn: true,
};

test("what comes in time goes as it is: a refusal has its status", async () => {
  const { call, underWay } = left();
  const responding = Promise.withResolvers<Response>();
  const answer = orLate(call, responding.promise, late);
  await vi.advanceTimersByTimeAsync(14_999);
  const refused = Response.json({ error: {} }, { status: 404 });
  responding.resolve(refused);
  expect(await answer).toBe(refused);
  expect(underWay).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test("after 15 s of silence the stream begins, by its id, and its beginning goes on without its client", async () => {
  const { call, underWay } = left();
  const responding = Promise.withResolvers<Response>();
  const answer = orLate(call, responding.promise, late);
  await vi.advanceTimersByTimeAsync(15_000);
  const response = await answer;
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
  expect(response.headers.get("x-edgewise-response-id")).toBe("chatcmpl-1");
  expect(underWay).toEqual(["late start"]);
  const text = response.text();
  await vi.advanceTimersByTimeAsync(15_000);
  const error = { message: "Busy.", type: "server_error", param: null, code: "overloaded" };
  responding.resolve(Response.json({ error }, { status: 503 }));
  expect(await text).toBe(`: keep-alive\n\n: keep-alive\n\ndata: ${JSON.stringify({ error })}\n\n`);
});
