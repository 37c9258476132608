import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createKeyDirectory } from "./key-directory.ts";

beforeEach(() => void vi.useFakeTimers({ now: 1_800_000_000_000 }));
afterEach(() => void vi.useRealTimers());

const id = "0123456789abcdef";

function record(change: object = {}): string {
  return JSON.stringify({
    version: 1,
    id,
    environment: "live",
    hash: "h".repeat(51),
    tenant: "acme",
    org: "acme",
    user: `key-${id}`,
    name: "a key",
    tier: "pro",
    scopes: [],
    limits: null,
    allow_ips: [],
    created_ms: 1,
    created_by: "jwt:acme/root",
    expires_ms: null,
    revoked_ms: null,
    rotated_from: null,
    rotated_to: null,
    ...change,
  });
}

function bench() {
  const kv = { text: record(), isDown: false };
  const running: Promise<unknown>[] = [];
  const directory = createKeyDirectory({
    store: { get: () => (kv.isDown ? Promise.reject(new Error("down")) : Promise.resolve(kv.text)) },
    now: () => Date.now(),
    report: () => undefined,
  });
  const read = async () => {
    const reading = await directory.byId(id, { run: (_name, work) => void running.push(work) });
    if (!reading.ok) return reading.error.kind;
    return reading.value?.record.revoked_ms ?? null;
  };
  const settled = async () => {
    while (running.length > 0) await Promise.allSettled(running.splice(0));
  };
  return { kv, read, settled };
}

test("a record that a moment's outage kept in use is not used for longer than any other once KV answers again", async () => {
  const { kv, read, settled } = bench();
  expect(await read()).toBeNull();
  kv.isDown = true;
  vi.advanceTimersByTime(61_000);
  expect(await read()).toBeNull();
  await settled();
  kv.isDown = false;
  kv.text = record({ revoked_ms: 5 });
  // Nobody had it in use meanwhile.
  vi.advanceTimersByTime(240_000);
  expect(await read()).toBe(5);
});

test("while KV is down the last good record serves on, however long that lasts", async () => {
  const { kv, read, settled } = bench();
  expect(await read()).toBeNull();
  kv.isDown = true;
  for (const minutes of [1, 1, 10, 60]) {
    vi.advanceTimersByTime(minutes * 61_000);
    expect(await read()).toBeNull();
    await settled();
  }
});
