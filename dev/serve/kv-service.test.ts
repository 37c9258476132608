import { beforeEach, expect, test } from "vitest";
import kvService from "./kv-service.ts";

const seed = { "tenant:acme": "{}" };

async function call(method: string, pathAndQuery: string, body?: string): Promise<Response> {
  const request = new Request(`http://kv/${pathAndQuery}`, { method, ...(body !== undefined && { body }) });
  return kvService.fetch(request, { SEED: JSON.stringify(seed) });
}

async function names(): Promise<readonly string[]> {
  const page = (await (await call("GET", "?key_count_limit=100000")).json()) as { keys: { name: string }[] };
  return page.keys.map(({ name }) => name);
}

const aDay = "expiration_ttl=86400";
const longAgo = "expiration=1";

/** One namespace a process, as in workerd. */
beforeEach(async () => {
  for (const name of await names()) if (!Object.hasOwn(seed, name)) await call("DELETE", name);
});

test("what was put is read until it is deleted or expired", async () => {
  await call("PUT", `kept?${aDay}`, "here");
  expect(await (await call("GET", "kept")).text()).toBe("here");
  await call("PUT", `gone?${longAgo}`, "late");
  expect((await call("GET", "gone")).status).toBe(404);
  await call("DELETE", "kept");
  expect((await call("GET", "kept")).status).toBe(404);
});

test("an entry that is put anew has its new expiry alone", async () => {
  await call("PUT", `key?${aDay}`, "first");
  await call("PUT", "key", "lasting");
  expect(await names()).toEqual(["key", "tenant:acme"]);
  await call("PUT", `key?${longAgo}`, "expired");
  expect((await call("GET", "key")).status).toBe(404);
});

test("what has expired is dropped by later puts, though nobody reads it", async () => {
  for (let at = 0; at < 5000; at += 1) await call("PUT", `old-${at}?${longAgo}`, "x");
  expect((await names()).length).toBeLessThanOrEqual(1001);
});

test("of what will expire the oldest gives way beyond the bound; what lasts never does", async () => {
  await call("PUT", "tenant:other", "{}");
  for (let at = 0; at <= 10_000; at += 1) await call("PUT", `answer-${at}?${aDay}`, "x");
  expect((await call("GET", "answer-0")).status).toBe(404);
  expect((await call("GET", "answer-1")).status).toBe(200);
  expect((await call("GET", "answer-10000")).status).toBe(200);
  expect((await call("GET", "tenant:other")).status).toBe(200);
  expect((await call("GET", "tenant:acme")).status).toBe(200);
});
