/** Who changes which tenant, and what it is found by: several admins at once, and one that is cut off. */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import type { LatelyLeft } from "../../src/shared/tenancy/lately-left.ts";
import { tenantClaimsVersion } from "../../src/shared/admin/tenant-claims.ts";

afterEach(() => void vi.useRealTimers());

const v = tenantClaimsVersion;

function register() {
  const stub = env.AUDIT_LOG.getByName(`platform-${crypto.randomUUID()}`);
  return {
    stub,
    begin: (tenant: string, change: string, keys: readonly string[]) =>
      stub.beginChange({ v, tenant, change, keys }),
    end: (tenant: string, change: string, keys: readonly string[], isKept = true) =>
      stub.endChange({ v, tenant, change, keys, isKept }),
  };
}

test("of two tenants that are given one hostname at the same time one has it, and the other is told whose it is", async () => {
  const { begin, end, stub } = register();
  const outcomes = await Promise.all([begin("a", "1", ["host:x", "host:a"]), begin("b", "2", ["host:x"])]);
  expect(outcomes).toEqual([{ result: "begun" }, { result: "taken", key: "host:x", by: "a" }]);
  await end("a", "1", ["host:x", "host:a"]);
  await evictDurableObject(stub);
  // KV may not tell it everywhere yet.
  expect(await begin("b", "3", ["host:x"])).toMatchObject({ result: "taken" });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 600_000 });
  expect(await begin("b", "4", ["host:x"])).toEqual({ result: "begun" });
});

test("a tenant is changed by one at a time; asked again with the same change it is the same", async () => {
  const { begin, end } = register();
  expect(await begin("a", "1", [])).toEqual({ result: "begun" });
  expect(await begin("a", "1", [])).toEqual({ result: "begun" });
  expect(await begin("a", "2", [])).toEqual({ result: "busy" });
  expect(await begin("b", "3", [])).toEqual({ result: "begun" });
  await end("a", "1", []);
  expect(await begin("a", "2", [])).toEqual({ result: "begun" });
});

test("what a tenant gives up is free when its change has ended, and what a change that came to nothing wanted as well", async () => {
  const { begin, end } = register();
  await begin("a", "1", ["host:x", "host:y"]);
  await end("a", "1", ["host:x", "host:y"]);
  await begin("a", "2", ["host:y"]);
  expect(await begin("b", "3", ["host:x"])).toMatchObject({ result: "taken" });
  await end("a", "2", ["host:y"]);
  expect(await begin("b", "4", ["host:x"])).toEqual({ result: "begun" });
  await end("b", "4", ["host:x"], false);
  await begin("a", "5", ["host:y", "host:z"]);
  await end("a", "5", ["host:y", "host:z"], false);
  expect(await begin("c", "6", ["host:x", "host:z"])).toEqual({ result: "begun" });
  // What it had before that stays its own.
  expect(await begin("d", "7", ["host:y"])).toEqual({ result: "taken", key: "host:y", by: "a" });
});

test("of the keys that a tenant gives up those are told that another was given lately", async () => {
  const { begin, end, stub } = register();
  const held = async (tenant: string) =>
    stub.heldByOthers({ v, tenant, keys: ["host:z", "host:x", "host:y"] });
  expect(await held("a")).toEqual({ result: "ok", keys: [] });
  await begin("a", "1", ["host:x", "host:z"]);
  await end("a", "1", ["host:z"]);
  await begin("b", "2", ["host:x"]);
  expect(await held("a")).toEqual({ result: "ok", keys: ["host:x"] });
  expect(await held("b")).toEqual({ result: "ok", keys: ["host:z"] });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 601_000 });
  expect(await held("b")).toEqual({ result: "ok", keys: [] });
});

test("a change that was cut off keeps others out for two minutes, and ends nobody else's when it comes back", async () => {
  const { begin, end, stub } = register();
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  await begin("a", "1", ["host:x"]);
  vi.setSystemTime(Date.now() + 119_999);
  expect(await begin("a", "2", ["host:x"])).toEqual({ result: "busy" });
  vi.setSystemTime(Date.now() + 1);
  expect(await begin("a", "2", ["host:x"])).toEqual({ result: "begun" });
  await end("a", "1", [], true);
  expect(await begin("a", "3", [])).toEqual({ result: "busy" });
  expect(await begin("b", "4", ["host:x"])).toMatchObject({ result: "taken" });
  const newer = { v: 2 as 1, tenant: "a", change: "9", keys: [] };
  const unsupported = { result: "version-unsupported", supported: 1 };
  expect(await stub.beginChange(newer)).toEqual(unsupported);
  expect(await stub.heldByOthers(newer)).toEqual(unsupported);
  expect(await stub.endChange({ ...newer, isKept: true })).toEqual(unsupported);
});

test("what a change left of a tenant is told to the next one, for as long as KV may not tell it", async () => {
  const { stub, begin } = register();
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  const end = (change: string, isKept: boolean, leaves?: LatelyLeft) =>
    stub.endChange({ v, tenant: "a", change, keys: [], isKept, ...(leaves && { leaves }) });
  const made = { atMs: 5_000, lasting: { jurisdiction: "eu", createdAfter: 3 } } as const;
  await begin("a", "1", []);
  await end("1", true, made);
  await evictDurableObject(stub);
  expect(await begin("a", "2", [])).toEqual({ result: "begun", lately: made });
  // Asked again it is the same; of others nothing is told.
  expect(await begin("a", "2", [])).toEqual({ result: "begun", lately: made });
  expect(await begin("b", "3", [])).toEqual({ result: "begun" });
  // What came to nothing, and what nobody knows how far it came, leave what was there.
  await end("2", false, { atMs: 6_000, lasting: null });
  await begin("a", "4", []);
  await end("4", true);
  expect(await begin("a", "5", [])).toEqual({ result: "begun", lately: made });
  await end("5", true, { atMs: 7_000, lasting: null });
  expect(await begin("a", "6", [])).toEqual({ result: "begun", lately: { atMs: 7_000, lasting: null } });
  await end("6", true);
  vi.setSystemTime(Date.now() + 600_000);
  expect(await begin("a", "7", [])).toEqual({ result: "begun" });
});
