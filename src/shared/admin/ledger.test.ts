import { describe, expect, test } from "vitest";
import type { KeyRecord } from "../identity/key-record.ts";
import { decide, keyStatus, maxKeys, maxMadeADay, type KeyBook, type LedgerCommand } from "./ledger.ts";

const now = 1_790_000_000_000;
const day = 86_400_000;

function record(members: Partial<KeyRecord> = {}): KeyRecord {
  return {
    version: 1,
    id: "0000000000000001",
    environment: "live",
    hash: "h".repeat(51),
    tenant: "acme",
    org: "acme",
    user: "reporter",
    name: "nightly",
    tier: "pro",
    scopes: ["reports"],
    limits: null,
    allow_ips: [],
    created_ms: now - 10 * day,
    created_by: "jwt:acme/root",
    expires_ms: null,
    revoked_ms: null,
    rotated_from: null,
    rotated_to: null,
    ...members,
  } as KeyRecord;
}

function book(records: readonly KeyRecord[], live = 0, madeMs: number | null = null): KeyBook {
  return {
    madeMs: (count) => (count === maxMadeADay ? madeMs : null),
    find: (id) => records.find((one) => one.id === id) ?? null,
    countLive: () => live,
    unrevoked: () => records.filter((one) => one.revoked_ms === null),
  };
}

const id = "0000000000000001";
const rotate = (graceMs: number): LedgerCommand => ({
  type: "rotate-key",
  id,
  next: { id: "0000000000000002", hash: "n".repeat(51), created_by: "jwt:acme/other" },
  graceMs,
});

describe("rotation", () => {
  test.each([
    ["a grace, no expiry", record(), day, { expires_ms: now + day, revoked_ms: null }, null],
    ["no grace", record(), 0, { expires_ms: now, revoked_ms: now }, null],
    [
      "a key that ends before its grace",
      record({ expires_ms: now + day / 2 }),
      day,
      { expires_ms: now + day / 2, revoked_ms: null },
      now + 10.5 * day,
    ],
  ])("%s", (_name, old, graceMs, ending, expires) => {
    const decided = decide(rotate(graceMs), book([old]), now);
    expect(decided).toMatchObject({
      ok: true,
      value: {
        record: {
          id: "0000000000000002",
          hash: "n".repeat(51),
          user: "reporter",
          scopes: ["reports"],
          created_ms: now,
          created_by: "jwt:acme/other",
          expires_ms: expires,
          revoked_ms: null,
          rotated_from: id,
          rotated_to: null,
        },
        records: [{ id, rotated_to: "0000000000000002", ...ending }, { id: "0000000000000002" }],
        entry: { action: "key.rotate", subject: "0000000000000002", detail: { rotated_from: id } },
      },
    });
  });

  test.each([
    ["an unknown key", [], { result: "unknown" }],
    ["a revoked one", [record({ revoked_ms: now - 1 })], { result: "ended", status: "revoked" }],
    ["an expired one", [record({ expires_ms: now })], { result: "ended", status: "expired" }],
    ["one that was rotated", [record({ rotated_to: "x" })], { result: "ended", status: "rotated" }],
  ])("not of %s", (_name, records, error) => {
    expect(decide(rotate(day), book(records), now)).toEqual({ ok: false, error });
  });
});

test("revoking twice changes nothing the second time, and has no second entry", () => {
  const first = decide({ type: "revoke-key", id }, book([record()]), now);
  expect(first).toMatchObject({ value: { record: { revoked_ms: now }, entry: { action: "key.revoke" } } });
  const again = decide({ type: "revoke-key", id }, book([record({ revoked_ms: now })]), now + 1);
  expect(again).toMatchObject({ value: { record: { revoked_ms: now }, records: [], entry: null } });
  expect(decide({ type: "revoke-key", id }, book([]), now)).toMatchObject({ error: { result: "unknown" } });
});

test("a tenant has so many live keys, and no more by rotation", () => {
  const create: LedgerCommand = { type: "create-key", record: record() };
  expect(decide(create, book([], maxKeys), now)).toEqual({
    ok: false,
    error: { result: "too-many", maxKeys },
  });
  expect(decide(create, book([], maxKeys - 1), now).ok).toBe(true);
  expect(decide(rotate(day), book([record()], maxKeys), now).ok).toBe(false);
});

test("a tenant makes so many keys within a day, whatever became of them; to revoke them it always may", () => {
  const create: LedgerCommand = { type: "create-key", record: record() };
  const full = (madeMs: number) => book([record()], 0, madeMs);
  const error = { result: "too-many-made", untilMs: now + 1 };
  expect(decide(create, full(now + 1 - day), now)).toEqual({ ok: false, error });
  expect(decide(rotate(day), full(now + 1 - day), now)).toEqual({ ok: false, error });
  expect(decide(create, full(now - day), now).ok).toBe(true);
  expect(decide({ type: "revoke-key", id }, full(now), now).ok).toBe(true);
  expect(decide({ type: "revoke-all-keys" }, full(now), now).ok).toBe(true);
});

test("with a tenant all its keys go, and the log says how many", () => {
  const records = [record(), record({ id: "0000000000000003", expires_ms: now - 1 })];
  const decided = decide({ type: "revoke-all-keys" }, book(records), now);
  expect(decided).toMatchObject({ value: { records: [{ revoked_ms: now }, { revoked_ms: now }] } });
  expect(decided).toMatchObject({ value: { entry: { detail: { keys: 2 } } } });
});

test("live keys are told anew as they are, and nothing else of them", () => {
  const live = record();
  const ended = [{ expires_ms: now - 1 }, { revoked_ms: now - 1 }].map((members, at) =>
    record({ id: `000000000000000${at + 4}`, ...members }),
  );
  expect(decide({ type: "restore-keys" }, book([live, ...ended]), now)).toMatchObject({
    value: { record: null, records: [live], entry: { action: "key.restore-all", detail: { keys: 1 } } },
  });
});

test("no entry holds a key's hash", () => {
  const commands: LedgerCommand[] = [
    { type: "create-key", record: record() },
    rotate(day),
    { type: "revoke-key", id },
    { type: "revoke-all-keys" },
    { type: "restore-keys" },
  ];
  for (const command of commands) {
    const decided = decide(command, book([record()]), now);
    if (!decided.ok) throw new Error(decided.error.result);
    expect(JSON.stringify(decided.value.entry)).not.toMatch(/h{51}|n{51}/);
  }
});

test("a key's status, to the millisecond", () => {
  expect(keyStatus(record(), now)).toBe("active");
  expect(keyStatus(record({ expires_ms: now + 1 }), now)).toBe("active");
  expect(keyStatus(record({ expires_ms: now }), now)).toBe("expired");
  expect(keyStatus(record({ expires_ms: now, revoked_ms: 1 }), now)).toBe("revoked");
});
