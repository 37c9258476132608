import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashApiKey, makeApiKey, makeKeyId, readApiKey, sameText, type KeyEnvironment } from "./api-key.ts";
import { acme, globex, identityBench, keyHash, startMs, storeOf } from "./identity-fixture.ts";
import { keyRecordKey, parseKeyRecord, type KeyRecord } from "./key-record.ts";

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const withKeys = { ...acme, keys: { tiers: ["pro", "free"], scopes: ["tenant:admin", "reports"] } };

async function made(members: Record<string, unknown> = {}, environment: KeyEnvironment = "local") {
  const id = makeKeyId(random(10));
  const text = makeApiKey(environment, id, random(20));
  const record = {
    version: 1,
    id,
    environment,
    hash: await hashApiKey(keyHash, text),
    tenant: "acme",
    org: "acme",
    user: "reporter",
    name: "nightly",
    tier: "pro",
    scopes: ["reports"],
    limits: null,
    allow_ips: [],
    created_ms: startMs - 1000,
    created_by: "jwt:alice",
    expires_ms: null,
    revoked_ms: null,
    rotated_from: null,
    rotated_to: null,
    ...members,
  } as unknown as KeyRecord;
  return { text, record };
}

async function benchWith(members: Record<string, unknown> = {}, environment?: KeyEnvironment) {
  const { text, record } = await made(members, environment);
  const bench = await identityBench({ tenantConfigs: [withKeys, globex] });
  const put = (changed: object = {}) =>
    void bench.entries.set(keyRecordKey(record.id), JSON.stringify({ ...record, ...changed }));
  put();
  return { bench, text, record, put };
}

const invalid = { ok: false, error: { kind: "credential-invalid", credential: "key" } };

test("a key gives its principal and its tenant's configuration, and is then remembered", async () => {
  const { bench, text, record } = await benchWith({ limits: { requests_per_minute: 5 } });
  const first = await bench.identify(text);
  expect(first).toMatchObject({
    ok: true,
    value: {
      kind: "tenant",
      tenant: { id: "acme" },
      principal: {
        tenant: "acme",
        org: "acme",
        user: "reporter",
        tier: "pro",
        scopes: new Set(["reports"]),
        proof: "api-key",
        issuedAtMs: startMs - 1000,
        key: { id: record.id, limits: { requests_per_minute: 5 } },
      },
    },
  });
  expect(bench.raw(`Bearer ${text}`)).toBe(first);
  expect(await bench.identify(text, "chat.acme.test")).toMatchObject({ ok: true });
});

test("a key of a tenant that had this one's name before is refused, one that was made since is taken", async () => {
  const { text, record } = await made();
  for (const [createdAfterMs, outcome] of [
    [record.created_ms, { ok: true }],
    [record.created_ms + 1000, invalid],
  ] as const) {
    const keys = { ...withKeys.keys, created_after: createdAfterMs / 1000 };
    const bench = await identityBench({ tenantConfigs: [{ ...withKeys, keys }] });
    bench.entries.set(keyRecordKey(record.id), JSON.stringify(record));
    expect(await bench.identify(text)).toMatchObject(outcome);
  }
});

test("a platform key gives the platform's scopes and no tenant", async () => {
  const { bench, text } = await benchWith({
    tenant: "platform",
    org: "platform",
    scopes: ["platform:admin"],
  });
  expect(await bench.identify(text)).toMatchObject({
    ok: true,
    value: { kind: "platform", principal: { scopes: new Set(["platform:admin"]) } },
  });
});

describe("answered like an unknown key", () => {
  test.each<[string, Record<string, unknown>]>([
    ["a revoked one", { revoked_ms: startMs - 1 }],
    ["one that expired", { expires_ms: startMs }],
    ["one with a tier that its tenant's keys no longer have", { tier: "enterprise" }],
    ["one with a scope that its tenant's keys no longer have", { scopes: ["reports", "billing"] }],
    ["a tenant's key with a platform scope", { scopes: ["platform:admin"] }],
    ["a platform key with a tenant's scope", { tenant: "platform", scopes: ["tenant:admin"] }],
    ["one of a tenant that is gone", { tenant: "gone" }],
    ["one with another key's hash", { hash: "0".repeat(51) }],
  ])("%s", async (_name, members) => {
    const { bench, text } = await benchWith(members);
    expect(await bench.identify(text)).toMatchObject(invalid);
    expect(await bench.identify(text)).toMatchObject(invalid);
    expect(bench.faults).toEqual([]);
  });

  test("one that nobody made", async () => {
    const { bench } = await benchWith();
    expect(await bench.identify(makeApiKey("local", makeKeyId(random(10)), random(20)))).toMatchObject(
      invalid,
    );
  });

  test("a key on another tenant's hostname", async () => {
    const { bench, text } = await benchWith();
    expect(await bench.identify(text, "chat.globex.test")).toMatchObject(invalid);
    expect(await bench.identify(text)).toMatchObject({ ok: true });
    expect(await bench.identify(text, "chat.globex.test")).toMatchObject(invalid);
  });

  test("a live key locally, and a local one in production", async () => {
    const live = await benchWith({}, "live");
    expect(await live.bench.identify(live.text)).toMatchObject(invalid);
    const local = await made();
    const production = await identityBench({ tenantConfigs: [withKeys], environment: "production" });
    production.entries.set(keyRecordKey(local.record.id), JSON.stringify(local.record));
    expect(await production.identify(local.text)).toMatchObject(invalid);
  });
});

test("any changed character of a key is refused, most of them without a look-up", async () => {
  const { text, record } = await made();
  let reads = 0;
  const entries = await storeOf([withKeys]);
  entries.set(keyRecordKey(record.id), JSON.stringify(record));
  const bench = await identityBench({ tenantConfigs: [withKeys] });
  bench.entries.set(keyRecordKey(record.id), JSON.stringify(record));
  const counting = await identityBench({
    tenantConfigs: [withKeys],
    apiKeys: {
      byId() {
        reads += 1;
        return { ok: true, value: null };
      },
    },
  });
  for (let at = 0; at < text.length; at += 1)
    for (const character of "0_z.A") {
      const changed = text.slice(0, at) + character + text.slice(at + 1);
      if (changed === text) continue;
      expect(await bench.identify(changed)).toMatchObject({ error: { kind: "credential-invalid" } });
      await counting.identify(changed);
    }
  expect(reads).toBe(0);
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary", maxLength: 80 }), async (tail) => {
      expect(await bench.raw(`Bearer ew_${tail}`)).toMatchObject({ ok: false });
    }),
  );
});

test("a key with an allow-list is taken from there alone, remembered or not", async () => {
  const { bench, text } = await benchWith({ allow_ips: ["192.0.2.0/24", "2001:db8::/32"] });
  const from = (address: string | null) => bench.identify(text, "api.edgewise.test", address);
  expect(await from("198.51.100.1")).toMatchObject(invalid);
  for (const address of ["192.0.2.9", "::ffff:192.0.2.9", "2001:db8::5"])
    expect(await from(address)).toMatchObject({ ok: true });
  for (const address of ["192.0.3.9", "2001:db9::5", null, "nonsense"])
    expect(await from(address)).toMatchObject(invalid);
});

test("a change of the record ends what was remembered of it: within a minute where nobody asks the bucket", async () => {
  const { bench, text, put } = await benchWith();
  expect(await bench.identify(text)).toMatchObject({ ok: true });
  put({ revoked_ms: startMs });
  // In use: read again in the background before the minute is over.
  bench.advance(30_000);
  expect(await bench.identify(text)).toMatchObject({ ok: true });
  await bench.settled();
  expect(await bench.identify(text)).toMatchObject(invalid);

  const idle = await benchWith();
  expect(await idle.bench.identify(idle.text)).toMatchObject({ ok: true });
  idle.put({ revoked_ms: startMs });
  idle.bench.advance(60_000);
  expect(await idle.bench.identify(idle.text)).toMatchObject(invalid);
});

test("a key ends at its expiry, to the millisecond, also when remembered", async () => {
  const { bench, text } = await benchWith({ expires_ms: startMs + 5_000 });
  expect(await bench.identify(text)).toMatchObject({ ok: true });
  bench.advance(4_999);
  expect(await bench.identify(text)).toMatchObject({ ok: true });
  bench.advance(1);
  expect(await bench.identify(text)).toMatchObject(invalid);
});

test("a wrong secret is refused from memory until the record changes", async () => {
  const { bench, text, record, put } = await benchWith();
  const wrong = makeApiKey("local", record.id, random(20));
  const first = await bench.identify(wrong);
  expect(bench.raw(`Bearer ${wrong}`)).toBe(first);
  put({ hash: await hashApiKey(keyHash, wrong) });
  bench.advance(60_000);
  expect(await bench.identify(wrong)).toMatchObject({ ok: true });
  expect(await bench.identify(text)).toMatchObject(invalid);
});

test("a store that can't be read is our fault: 503, and a key in memory goes on", async () => {
  const { text, record } = await made();
  let down = false;
  const entries = await storeOf([withKeys]);
  entries.set(keyRecordKey(record.id), JSON.stringify(record));
  const { createKeyDirectory } = await import("./key-directory.ts");
  let time = startMs;
  const apiKeys = createKeyDirectory({
    store: { get: async (key) => (down ? Promise.reject(new Error("down")) : (entries.get(key) ?? null)) },
    now: () => time,
    report: () => undefined,
  });
  const bench = await identityBench({ tenantConfigs: [withKeys], apiKeys });
  expect(await bench.identify(text)).toMatchObject({ ok: true });
  down = true;
  bench.advance(61_000);
  time += 61_000;
  expect(await bench.identify(text)).toMatchObject({ ok: true });
  const other = await made();
  expect(await bench.identify(other.text)).toMatchObject({ error: { kind: "dependency-unavailable" } });
});

test("a broken record is a fault that names its field, never a 500", async () => {
  const { bench, text, record } = await benchWith({ tier: "gold" });
  expect(await bench.identify(text)).toMatchObject({ error: { kind: "dependency-unavailable" } });
  expect(bench.faults.join()).toContain("tier");
  expect(bench.faults.join()).not.toContain(record.hash);
});

test("a record of newer code can be read", async () => {
  const { record } = await made();
  expect(parseKeyRecord(JSON.stringify({ ...record, colour: "red" }))).toMatchObject({ ok: true });
});

test("a made key reads back, and its parts are what they were", () => {
  fc.assert(
    fc.property(
      fc.constantFrom<KeyEnvironment>("live", "test", "local"),
      fc.uint8Array({ minLength: 10, maxLength: 10 }),
      fc.uint8Array({ minLength: 20, maxLength: 20 }),
      (environment, idBytes, secret) => {
        const id = makeKeyId(idBytes);
        const text = makeApiKey(environment, id, secret);
        expect(readApiKey(text)).toEqual({ text, environment, id });
        expect(text).toMatch(/^ew_(live|test|local)_[0-9a-z]{16}_[0-9a-z]{39}$/);
      },
    ),
  );
});

test("the checksum is CRC-32 as zlib has it", () => {
  const body = "ew_live_0000000000000000_00000000000000000000000000000000";
  expect(makeApiKey("live", "0000000000000000", new Uint8Array(20))).toBe(`${body}18cngpf`);
});

test("texts are compared whole", () => {
  expect(sameText("abc", "abc")).toBe(true);
  expect(sameText("abc", "abd")).toBe(false);
  expect(sameText("abc", "ab")).toBe(false);
});
