import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import type { LedgerCommand } from "../../src/shared/admin/ledger.ts";
import type { KeyRecord } from "../../src/shared/identity/key-record.ts";
import { emptyBatch } from "../../src/shared/limits/bucket-protocol.ts";
import { bucketName } from "../../src/shared/limits/bucket-name.ts";
import { bucketStub } from "../token-bucket/bucket-stub.ts";
import { auditLedger } from "./audit-ledger.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";
import { eventually } from "../../test/workers/eventually.ts";

alarmsWait();

afterEach(() => void vi.restoreAllMocks());

function record(tenant: string, id: string, members: Partial<KeyRecord> = {}): KeyRecord {
  return {
    version: 1,
    id,
    environment: "local",
    hash: "h".repeat(51),
    tenant,
    org: tenant,
    user: `user-of-${tenant}`,
    name: "a key",
    tier: "pro",
    scopes: [],
    limits: null,
    allow_ips: [],
    created_ms: Date.now(),
    created_by: "jwt:acme/root",
    expires_ms: null,
    revoked_ms: null,
    rotated_from: null,
    rotated_to: null,
    ...members,
  } as KeyRecord;
}

function world() {
  const log = `t-${crypto.randomUUID()}`;
  const ledger = auditLedger(env.AUDIT_LOG, { log, jurisdiction: "none" }, "local");
  const stub = () => env.AUDIT_LOG.getByName(log);
  const newId = () => crypto.randomUUID().replaceAll("-", "").slice(0, 16);
  const create = async (id = newId()) => {
    await ledger.change("jwt:t/root", { type: "create-key", record: record(log, id) });
    return id;
  };
  const inKv = async (id: string) =>
    JSON.parse((await env.CONFIG.get(`key:${id}`)) ?? "null") as KeyRecord | null;
  return { log, ledger, stub, create, inKv, newId };
}

test("a change is in the log, in the list and in KV when it is answered", async () => {
  const { ledger, create, inKv } = world();
  const id = await create();
  expect(await inKv(id)).toMatchObject({ id, revoked_ms: null });
  expect(await ledger.find(id)).toEqual(await inKv(id));
  expect(await ledger.entries(null, 10)).toMatchObject({
    entries: [{ sequence: 1, action: "key.create", subject: id }],
    hasMore: false,
    broken: null,
  });
});

test("a revocation is with the user's bucket and in KV when it is answered", async () => {
  const { log, ledger, create, inKv } = world();
  const id = await create();
  const outcome = await ledger.change("jwt:t/root", { type: "revoke-key", id });
  expect(outcome).toMatchObject({ result: "changed", delivered: true });
  expect(await inKv(id)).toMatchObject({ revoked_ms: expect.any(Number) as number });
  const name = bucketName(log, "user", `user-of-${log}`);
  const bucket = bucketStub(env.TOKEN_BUCKET, { name, jurisdiction: "none" }, false);
  const reply = await bucket.apply(emptyBatch);
  expect(reply.revokedKeys).toEqual([id]);
});

test("60 changes, 40 of them at once, are 60 entries in one unbroken chain, and KV has the last of each", async () => {
  const { ledger, create, inKv } = world();
  const ids = await Promise.all(Array.from({ length: 20 }, () => create()));
  const commands = ids.flatMap((id): LedgerCommand[] => [
    { type: "revoke-key", id },
    { type: "note", entry: { action: "credentials.revoke", subject: id, detail: {} } },
  ]);
  await Promise.all(commands.map((command) => ledger.change("jwt:t/root", command)));
  const { entries, broken } = await ledger.entries(null, 100);
  expect(entries.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 60 }, (_, at) => 60 - at));
  expect(broken).toBeNull();
  for (const id of ids) expect(await inKv(id)).toMatchObject({ revoked_ms: expect.any(Number) as number });
});

test("what is written survives a kill and an eviction", async () => {
  const { ledger, create, stub } = world();
  const id = await create();
  await abortAllDurableObjects();
  expect(await ledger.find(id)).toMatchObject({ id });
  await evictDurableObject(stub());
  await ledger.change("jwt:t/root", { type: "revoke-key", id });
  expect(await ledger.entries(null, 10)).toMatchObject({
    entries: [{ sequence: 2 }, { sequence: 1 }],
    broken: null,
  });
});

test("what KV could not be told is told by the alarm, and never an older record after a newer one", async () => {
  const { ledger, create, inKv, stub, newId } = world();
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const put = vi.spyOn(env.CONFIG, "put").mockRejectedValue(new Error("KV is down"));
  const broken = await runInDurableObject(stub(), (instance) => {
    const own = Reflect.get(instance, "env") as Cloudflare.Env;
    const spy = vi.spyOn(own.CONFIG, "put").mockRejectedValue(new Error("KV is down"));
    return () => spy.mockRestore();
  });
  const id = newId();
  const made = await ledger.change("jwt:t/root", { type: "create-key", record: record("t", id) });
  expect(made).toMatchObject({ result: "changed", delivered: false });
  expect(await inKv(id)).toBeNull();
  expect(await ledger.change("jwt:t/root", { type: "revoke-key", id })).toMatchObject({ delivered: false });
  broken();
  put.mockRestore();
  expect(await runDurableObjectAlarm(stub())).toBe(true);
  expect(await inKv(id)).toMatchObject({ id, revoked_ms: expect.any(Number) as number });
  // Nothing is left to tell.
  expect(await create()).toBeDefined();
});

test("a change that was cut off before anybody was told of it is told by the alarm", async () => {
  const { ledger, create, inKv, stub } = world();
  const id = await create();
  await runInDurableObject(stub(), async (instance, state) => {
    const own = Reflect.get(instance, "env") as Cloudflare.Env;
    await state.storage.deleteAlarm();
    vi.spyOn(own.CONFIG, "put").mockReturnValue(new Promise(() => undefined));
  });
  const cut = ledger.change("jwt:t/root", { type: "revoke-key", id }).catch(String);
  await eventually(async () =>
    expect(await ledger.find(id)).toMatchObject({ revoked_ms: expect.any(Number) }),
  );
  await abortAllDurableObjects();
  expect(await cut).toContain("abortAllDurableObjects");
  vi.restoreAllMocks();
  expect(await inKv(id)).toMatchObject({ revoked_ms: null });
  expect(await runDurableObjectAlarm(stub())).toBe(true);
  expect(await inKv(id)).toMatchObject({ revoked_ms: expect.any(Number) as number });
});

test("a bucket that can't be asked keeps neither its key's revocation nor the changes after it from KV", async () => {
  const { log, ledger, create, inKv, stub } = world();
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const [first, second] = [await create(), await create()];
  const away = bucketName(log, "user", `user-of-${log}`);
  const back = await runInDurableObject(stub(), (instance) => {
    const own = Reflect.get(instance, "env") as Cloudflare.Env;
    const getByName = own.TOKEN_BUCKET.getByName.bind(own.TOKEN_BUCKET);
    const spy = vi.spyOn(own.TOKEN_BUCKET, "getByName").mockImplementation((name, options) => {
      if (name === away) throw new Error("overloaded");
      return getByName(name, options);
    });
    return () => spy.mockRestore();
  });
  expect(await ledger.change("jwt:t/root", { type: "revoke-key", id: first })).toMatchObject({
    delivered: false,
  });
  expect(await inKv(first)).toMatchObject({ revoked_ms: expect.any(Number) as number });
  const third = await create();
  expect(await inKv(third)).toMatchObject({ id: third });
  expect(await ledger.change("jwt:t/root", { type: "revoke-key", id: second })).toMatchObject({
    delivered: false,
  });
  expect(await inKv(second)).toMatchObject({ revoked_ms: expect.any(Number) as number });
  back();
  expect(await runDurableObjectAlarm(stub())).toBe(true);
  const reply = await bucketStub(env.TOKEN_BUCKET, { name: away, jurisdiction: "none" }, false).apply(
    emptyBatch,
  );
  expect([...(reply.revokedKeys ?? [])].sort()).toEqual([first, second].sort());
});

test("a key whose bucket can't be asked does not make the revocation of another's look as if it had failed", async () => {
  const { log, ledger, create, inKv, stub, newId } = world();
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const [leaked, others] = [await create(), newId()];
  const theirs = record(log, others, { user: "another" as KeyRecord["user"] });
  await ledger.change("jwt:t/root", { type: "create-key", record: theirs });
  const away = bucketName(log, "user", `user-of-${log}`);
  await runInDurableObject(stub(), (instance) => {
    const own = Reflect.get(instance, "env") as Cloudflare.Env;
    const getByName = own.TOKEN_BUCKET.getByName.bind(own.TOKEN_BUCKET);
    vi.spyOn(own.TOKEN_BUCKET, "getByName").mockImplementation((name, options) => {
      if (name === away) throw new Error("overloaded");
      return getByName(name, options);
    });
  });
  const revoke = (id: string) => ledger.change("jwt:t/root", { type: "revoke-key", id });
  const [first, second] = await Promise.all([revoke(leaked), revoke(others)]);
  expect([first, second]).toMatchObject([{ delivered: false }, { delivered: true }]);
  expect(await inKv(others)).toMatchObject({ revoked_ms: expect.any(Number) as number });
  // Asked again, they are answered as before.
  expect(await revoke(leaked)).toMatchObject({ delivered: false });
  expect(await revoke(others)).toMatchObject({ delivered: true });
});

test("what somebody changed in storage shows, by its sequence", async () => {
  const { ledger, create, stub } = world();
  for (let times = 0; times < 5; times += 1) await create();
  await runInDurableObject(stub(), (_, state) => {
    state.storage.sql.exec("UPDATE entry SET actor = 'jwt:t/somebody-else' WHERE sequence = 3");
  });
  expect(await ledger.entries(null, 10)).toMatchObject({ broken: 3 });
  expect(await ledger.entries(null, 2)).toMatchObject({ broken: null });
  expect(await ledger.entries(4, 2)).toMatchObject({ broken: 3 });
  await runInDurableObject(stub(), (_, state) => {
    state.storage.sql.exec("DELETE FROM entry WHERE sequence = 3");
  });
  expect(await ledger.entries(null, 10)).toMatchObject({ broken: 3 });
  await runInDurableObject(stub(), (_, state) => {
    state.storage.sql.exec("DELETE FROM entry WHERE sequence < 3");
  });
  expect(await ledger.entries(null, 10)).toMatchObject({ broken: 1 });
});

test("a log that was only looked at leaves no storage; another owner's is not opened", async () => {
  const { ledger, stub, create } = world();
  expect(await ledger.list(null, 10)).toMatchObject({ records: [], hasMore: false });
  expect(await ledger.entries(null, 10)).toMatchObject({ entries: [], broken: null });
  await runInDurableObject(stub(), (_, state) => {
    expect(state.storage.sql.exec("SELECT name FROM sqlite_master").toArray()).toEqual([]);
  });
  await create();
  await runInDurableObject(stub(), (instance) => {
    expect(() => instance.find("another", "0000000000000000")).toThrow("another owner");
  });
});

test("where KV was lost, live keys are there again as they were, more of them than one run tells; others are not", async () => {
  const { log, ledger, stub, create, inKv, newId } = world();
  const ids: string[] = [];
  for (let at = 0; at < 103; at += 1) ids.push(await create());
  const [revoked = ""] = ids;
  await ledger.change("jwt:t/root", { type: "revoke-key", id: revoked });
  const expired = newId();
  const past = record(log, expired, { expires_ms: Date.now() - 1 });
  await ledger.change("jwt:t/root", { type: "create-key", record: past });
  const last = ids.at(-1) ?? "";
  const before = await inKv(last);
  for (const id of [...ids, expired]) await env.CONFIG.delete(`key:${id}`);
  const outcome = await ledger.change("jwt:t/root", { type: "restore-keys" });
  expect(outcome).toMatchObject({ result: "changed", entry: { detail: { keys: 102 } } });
  while (await runDurableObjectAlarm(stub()));
  expect(await inKv(last)).toEqual(before);
  for (const id of ids.slice(1)) expect(await inKv(id)).toMatchObject({ id });
  expect([await inKv(revoked), await inKv(expired)]).toEqual([null, null]);
});
