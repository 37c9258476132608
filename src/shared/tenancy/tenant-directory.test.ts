import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { tenantIdSchema } from "../contracts/ids.ts";
import { acme, globex, startMs, storeOf } from "../identity/identity-fixture.ts";
import { configTimes } from "./config-cache.ts";
import { createTenantDirectory } from "./tenant-directory.ts";
import { tenantKey } from "./tenant-entries.ts";

beforeEach(() => void vi.useFakeTimers({ now: startMs }));
afterEach(() => void vi.useRealTimers());

const acmeId = tenantIdSchema.parse("acme");

/** A directory over a store that can be slow, down, or hang; time is vitest's fake clock. */
async function bench(tenants: readonly unknown[] = [acme, globex]) {
  const entries = await storeOf(tenants);
  const faults: string[] = [];
  const reads: string[] = [];
  const running: Promise<unknown>[] = [];
  let answer = async (key: string): Promise<string | null> => entries.get(key) ?? null;
  const directory = createTenantDirectory({
    store: {
      get: (key) => {
        reads.push(key);
        return answer(key);
      },
    },
    now: () => Date.now(),
    report: (component, detail) => void faults.push(`${component}: ${detail}`),
  });
  const background = { run: (_name: string, work: Promise<unknown>) => void running.push(work) };
  return {
    entries,
    faults,
    reads,
    background,
    byId: (id = acmeId) => directory.byId(id, background),
    byHost: (host: string) => directory.byHost(host, background),
    byIssuer: (issuer: string, audience: string) => directory.byIssuer(issuer, audience, background),
    storeIs: (behaviour: typeof answer) => {
      answer = behaviour;
    },
    settled: async () => {
      while (running.length > 0) await Promise.allSettled(running.splice(0));
    },
  };
}

const down = async (): Promise<null> => {
  throw new Error("KV is down");
};

describe("a tenant is found", () => {
  test("also where newer code wrote its configuration, before a roll-back: without what only that knows, which is told", async () => {
    const { entries, byId, byHost, faults } = await bench();
    const written = JSON.parse(entries.get(tenantKey("acme")) ?? "") as { requests: object };
    const newer = { ...written, later: {}, requests: { ...written.requests, of_tomorrow: 1 } };
    entries.set(tenantKey("acme"), JSON.stringify(newer));
    const tenant = await byId();
    expect(tenant).toEqual({ ok: true, value: written });
    expect(await byHost("chat.acme.test")).toBe(tenant);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/acme .*(later,requests\.of_tomorrow|requests\.of_tomorrow,later)/);
  });

  test("by id, by hostname and by issuer with audience, each the same object", async () => {
    const { byId, byHost, byIssuer } = await bench();
    const tenant = await byId();
    expect(tenant).toMatchObject({ ok: true, value: { id: "acme" } });
    expect(await byHost("chat.acme.test")).toBe(tenant);
    expect(await byIssuer("https://id.acme.test", "edgewise")).toBe(tenant);
  });

  test.each([
    ["https://id.acme.test", "other"],
    ["https://id.acme.test/", "edgewise"],
    ["https://id.acme.test\nedgewise", ""],
    ["x".repeat(5000), "edgewise"],
  ])("not by issuer %j with audience %j", async (issuer, audience) => {
    const { byIssuer } = await bench();
    expect(await byIssuer(issuer, audience)).toEqual({ ok: true, value: null });
  });

  test("not by a hostname that is none, without asking the store", async () => {
    const { byHost, reads } = await bench();
    for (const host of ["CHAT.ACME.TEST", "a b", "", "x".repeat(300), "tenant:acme"])
      expect(byHost(host)).toEqual({ ok: true, value: null });
    expect(reads).toEqual([]);
  });

  test("not by an index entry that is older than the tenant", async () => {
    const { byHost, byIssuer, entries } = await bench();
    const [edited] = [...(await storeOf([{ ...acme, hosts: [], issuers: globex.issuers }]))];
    entries.set(...(edited ?? ["", ""]));
    expect(await byHost("chat.acme.test")).toEqual({ ok: true, value: null });
    expect(await byIssuer("https://id.acme.test", "edgewise")).toEqual({ ok: true, value: null });
  });
});

describe("memory", () => {
  test("answers at once, without the store, for a minute", async () => {
    const { byId, byHost, reads } = await bench();
    await byId();
    await byHost("chat.acme.test");
    reads.length = 0;
    vi.advanceTimersByTime(configTimes.freshMs - 1);
    expect(byId()).not.toBeInstanceOf(Promise);
    expect(byHost("chat.acme.test")).not.toBeInstanceOf(Promise);
    expect(reads).toEqual([]);
  });

  test("then still answers at once while one request refreshes in the background", async () => {
    const { byId, entries, reads, settled } = await bench();
    const before = await byId();
    entries.set(tenantKey("acme"), JSON.stringify({ ...acme, name: "Edited" }));
    vi.advanceTimersByTime(configTimes.freshMs);
    reads.length = 0;
    for (let request = 0; request < 100; request += 1) expect(byId()).toBe(before);
    await settled();
    expect(reads).toEqual([tenantKey("acme")]);
    expect(byId()).toMatchObject({ value: { name: "Edited" } });
  });

  test("keeps the same object where the text is the same", async () => {
    const { byId, settled } = await bench();
    const before = await byId();
    vi.advanceTimersByTime(configTimes.freshMs);
    void byId();
    await settled();
    vi.advanceTimersByTime(configTimes.freshMs - 1);
    expect(byId()).toBe(before);
  });

  test("is not trusted after five idle minutes: the reader waits for the refresh", async () => {
    const { byId, entries } = await bench();
    await byId();
    entries.set(tenantKey("acme"), JSON.stringify({ ...acme, name: "Edited" }));
    vi.advanceTimersByTime(configTimes.usableMs);
    expect(await byId()).toMatchObject({ value: { name: "Edited" } });
  });

  test("of a tenant that there is not is short, so that a new one appears", async () => {
    const { byId, entries, reads, settled } = await bench([globex]);
    expect(await byId()).toEqual({ ok: true, value: null });
    for (let request = 0; request < 100; request += 1) expect(byId()).toEqual({ ok: true, value: null });
    expect(reads).toHaveLength(1);
    entries.set(tenantKey("acme"), JSON.stringify(acme));
    vi.advanceTimersByTime(configTimes.absentFreshMs);
    void byId();
    await settled();
    expect(byId()).toMatchObject({ value: { id: "acme" } });
  });

  test("stays bounded, whatever names are asked for", async () => {
    const { byHost, reads } = await bench([]);
    for (let at = 0; at < 6000; at += 1) await byHost(`h${at}.test`);
    reads.length = 0;
    await byHost("h0.test");
    expect(reads).toHaveLength(1);
  });
});

describe("tenant config unreachable", () => {
  test("the last good one is used, and the store asked again every few seconds only", async () => {
    const { byId, storeIs, settled, reads, faults } = await bench();
    const good = await byId();
    storeIs(down);
    reads.length = 0;
    for (let second = 0; second < 3600; second += 1) {
      vi.advanceTimersByTime(1000);
      expect(await byId()).toBe(good);
      await settled();
    }
    expect(reads.length).toBeLessThanOrEqual(3600 / (configTimes.retryMs / 1000));
    expect(faults).toHaveLength(reads.length);
    expect(faults[0]).toBe("configuration: acme read failed: Error: KV is down");
  });

  test("with none that is good it is 503, and the store asked once a second", async () => {
    const { byId, storeIs, reads } = await bench();
    storeIs(down);
    const answers = await Promise.all(Array.from({ length: 100 }, async () => byId()));
    expect(answers[0]).toMatchObject({
      ok: false,
      error: { kind: "dependency-unavailable", component: "configuration", retryAfterMs: 1000 },
    });
    expect(byId()).toBe(answers[0]);
    expect(reads).toHaveLength(1);
    storeIs(async (key) => (await storeOf([acme])).get(key) ?? null);
    vi.advanceTimersByTime(configTimes.unavailableMs);
    expect(await byId()).toMatchObject({ ok: true });
  });

  test("the platform's own hostname stays nobody's", async () => {
    const { byHost, storeIs, settled } = await bench();
    await byHost("api.edgewise.test");
    storeIs(down);
    for (let minute = 0; minute < 60; minute += 1) {
      vi.advanceTimersByTime(60_000);
      expect(await byHost("api.edgewise.test")).toEqual({ ok: true, value: null });
      await settled();
    }
  });

  test("a store that never answers counts as unreachable after two seconds", async () => {
    const { byId, storeIs } = await bench();
    storeIs(() => new Promise(() => undefined));
    const answer = byId();
    await vi.advanceTimersByTimeAsync(configTimes.readTimeoutMs);
    expect(await answer).toMatchObject({ error: { detail: "acme read timed out" } });
  });

  test("'there is none' is no last good answer", async () => {
    const { byId, storeIs } = await bench([]);
    await byId();
    storeIs(down);
    vi.advanceTimersByTime(configTimes.absentUsableMs);
    expect(await byId()).toMatchObject({ ok: false });
  });
});

describe("a corrupt entry", () => {
  const broken: [string, string, string][] = [
    ["is not JSON", "{", "is not JSON"],
    ["breaks the schema", JSON.stringify({ ...acme, cache: { ttl_seconds: 1 } }), "cache.ttl_seconds"],
    ["bears another tenant's id", JSON.stringify({ ...acme, id: "globex" }), "id: is not the key's"],
  ];
  test.each(broken)(
    "that %s is a reported fault, and the last good one is used",
    async (_name, text, told) => {
      const { byId, entries, settled, faults } = await bench();
      const good = await byId();
      entries.set(tenantKey("acme"), text);
      vi.advanceTimersByTime(configTimes.freshMs);
      void byId();
      await settled();
      expect(byId()).toBe(good);
      expect(faults).toHaveLength(1);
      expect(faults[0]).toContain(told);
    },
  );

  test.each(broken)("that %s, with none before, is 503", async (_name, text) => {
    const { byId, entries } = await bench();
    entries.set(tenantKey("acme"), text);
    expect(await byId()).toMatchObject({ error: { component: "configuration" } });
  });
});

test("a storm of requests on a cold isolate is one read", async () => {
  const { byHost, reads } = await bench();
  await Promise.all(Array.from({ length: 500 }, async () => byHost("chat.acme.test")));
  expect(reads).toEqual(["index:host:chat.acme.test", tenantKey("acme")]);
});

test("shared work in an isolate survives the reset of the request that began it", async () => {
  const { byId, entries, storeIs } = await bench();
  // The first request is reset: neither its read nor its timers ever come back.
  storeIs(() => new Promise(() => undefined));
  const setTimer = vi.spyOn(globalThis, "setTimeout").mockReturnValueOnce(0);
  void byId();
  expect(setTimer).toHaveBeenCalledTimes(1);
  setTimer.mockRestore();
  storeIs(async (key) => entries.get(key) ?? null);
  const others = Array.from({ length: 20 }, async () => byId());
  await vi.advanceTimersByTimeAsync(configTimes.waitMs);
  for (const answer of await Promise.all(others)) expect(answer).toMatchObject({ ok: true });
});
