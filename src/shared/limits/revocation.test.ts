import { expect, test } from "vitest";
import type { Principal } from "../identity/principal.ts";
import { bucketName } from "./bucket-name.ts";
import { rememberMs } from "./bucket-durability.ts";
import { KeptBucket } from "./kept-bucket.ts";
import { createLimitDesk } from "./limit-desk.ts";
import { loanPolicy } from "./loan-policy.ts";
import { revokedKeyMs, type RevokeCommand, SeenRevocations } from "./revocation.ts";
import { tenantWith, turn, use, within } from "./simulated-turns.ts";
import { FakeClock, isolateOptions, SimulatedBuckets, strictBackground } from "./simulated-world.ts";

const everything: RevokeCommand = { version: 1, what: "everything-issued-before-now" };
const key = (id: string): Principal["key"] => ({ id, limits: null });
const revokeKey = (keyId: string): RevokeCommand => ({ version: 1, what: "key", keyId });

function world() {
  const clock = new FakeClock();
  const buckets = new SimulatedBuckets(clock);
  const tenant = tenantWith({});
  const desk = createLimitDesk(isolateOptions(buckets, "isolate"));
  const background = strictBackground();
  let turns = 0;
  const admit = async (options: Parameters<typeof turn>[2]) => {
    const admitted = await within(
      clock,
      desk.admission(background).admit(turn(tenant, `turn-${(turns += 1)}`, options)),
    );
    if (admitted.ok) admitted.value.settle(use(10));
    return admitted.ok ? "admitted" : admitted.error.kind;
  };
  return { clock, buckets, tenant, desk, background, admit };
}

const alice = bucketName("acme", "user", "alice");
const research = bucketName("acme", "org", "research");

test("what was issued before the revocation is refused, what is issued after it is not", async () => {
  const { clock, buckets, admit } = world();
  const before = { issuedAtMs: clock.now - 1 };
  expect(await admit(before)).toBe("admitted");
  buckets.revoke(alice, everything);
  expect(await admit(before)).toBe("credential-invalid");
  expect(await admit({ issuedAtMs: clock.now + 1 })).toBe("admitted");
  expect(await admit({ issuedAtMs: 0 })).toBe("credential-invalid");
  expect(await admit({ user: "bob", issuedAtMs: 0 })).toBe("admitted");
});

test("a revoked org ends the credentials of all its users", async () => {
  const { buckets, admit } = world();
  buckets.revoke(research, everything);
  expect(await admit({ user: "alice" })).toBe("credential-invalid");
  expect(await admit({ user: "bob" })).toBe("credential-invalid");
});

test("a revoked key leaves its user's other credentials alone", async () => {
  const { buckets, admit } = world();
  buckets.revoke(alice, revokeKey("one"));
  expect(await admit({ key: key("one") })).toBe("credential-invalid");
  expect(await admit({ key: key("two") })).toBe("admitted");
  expect(await admit({})).toBe("admitted");
});

test("whoever is refused as revoked is charged nothing, in either bucket", async () => {
  const { clock, buckets, admit } = world();
  buckets.revoke(alice, everything);
  for (let times = 0; times < 5; times += 1) await admit({ issuedAtMs: 1 });
  await clock.advance(5_000);
  for (const name of [alice, research])
    expect(buckets.inspect(name, []).usage).toMatchObject({
      settled: { requests: 0, tokens: 0 },
      reserved: { requests: 0, tokens: 0 },
    });
});

test("under a loan a revocation holds within the loan's life, at every moment that it may come", async () => {
  for (let afterMs = 0; afterMs < loanPolicy.lifeMs; afterMs += 500) {
    const { clock, buckets, admit } = world();
    const caller = { tier: "enterprise", issuedAtMs: clock.now - 1 } as const;
    for (let times = 0; times < 6; times += 1) await admit(caller);
    const calls = buckets.calls;
    await admit(caller);
    expect(buckets.calls).toBe(calls);
    for (let passed = 0; passed < afterMs; passed += 100) {
      await clock.advance(100);
      await admit(caller);
    }
    buckets.revoke(alice, everything);
    const revokedAt = clock.now;
    while ((await admit(caller)) === "admitted") {
      expect(clock.now - revokedAt).toBeLessThanOrEqual(10_000);
      await clock.advance(100);
    }
    await clock.advance(500);
    expect(await admit(caller)).toBe("credential-invalid");
  }
});

test("what does without admission asks when the bucket was not heard for long, and not before", async () => {
  const { clock, buckets, tenant, desk, background } = world();
  const { principal } = turn(tenant, "none", { issuedAtMs: clock.now - 1 });
  const look = () =>
    within(clock, Promise.resolve(desk.standingOf({ principal, tenant }, 10_000, background)));
  expect(await look()).toBe("good");
  const calls = buckets.calls;
  await clock.advance(9_000);
  expect(await look()).toBe("good");
  expect(buckets.calls).toBe(calls);
  buckets.revoke(alice, everything);
  await clock.advance(1_000);
  expect(await look()).toBe("revoked");
});

test("a bucket that can't be asked for revocations is told apart, within its time-out", async () => {
  const { clock, buckets, tenant, desk, background } = world();
  const { principal } = turn(tenant, "none");
  buckets.fate = () => ({ fate: "hangs", delayMs: 1 });
  expect(
    await within(clock, Promise.resolve(desk.standingOf({ principal, tenant }, 10_000, background))),
  ).toBe("unreachable");
  buckets.fate = () => ({ fate: "request-lost", delayMs: 1 });
  expect(
    await within(clock, Promise.resolve(desk.standingOf({ principal, tenant }, 10_000, background))),
  ).toBe("unreachable");
});

test("revocations survive a kill; the epoch keeps its bucket for ever, a key for a day", () => {
  const now = 1_800_000_000_000;
  const idle = new KeptBucket(new KeptBucket(null, now).revoke(revokeKey("one"), now), now);
  const batch = {
    version: 1,
    rules: [],
    leaseMs: 0,
    timeZone: "UTC",
    operations: [],
    acknowledge: "now",
  } as const;
  expect(idle.apply(batch, now).reply).toMatchObject({ epoch: 0, revokedKeys: ["one"] });
  expect(idle.isForgettable(now + revokedKeyMs - 1)).toBe(false);
  const text = idle.revoke(revokeKey("two"), now + revokedKeyMs);
  expect(new KeptBucket(text, now).apply(batch, now).reply.revokedKeys).toEqual(["two"]);
  expect(idle.isForgettable(now + 3 * revokedKeyMs + rememberMs)).toBe(true);
  const ended = new KeptBucket(idle.revoke(everything, now), now);
  expect(ended.apply(batch, now).reply.epoch).toBe(now);
  expect(ended.isForgettable(now + 400 * rememberMs)).toBe(false);
});

test("a bucket at rest pays nothing for a revocation: no head-room is lost by a kill after it", () => {
  const now = 1_800_000_000_000;
  const after = new KeptBucket(new KeptBucket(null, now).revoke(everything, now), now);
  expect(after.inspect([], now).usage.unaccounted).toMatchObject({ requests: 0, tokens: 0 });
});

test("256 revoked keys are named at most, the latest ones", () => {
  const now = 1_800_000_000_000;
  const bucket = new KeptBucket(null, now);
  for (let at = 0; at < 300; at += 1) bucket.revoke(revokeKey(`key-${at}`), now + at);
  const { reply } = bucket.apply(
    { version: 1, rules: [], leaseMs: 0, timeZone: "UTC", operations: [], acknowledge: "now" },
    now,
  );
  expect(reply.revokedKeys).toHaveLength(256);
  expect(reply.revokedKeys?.at(-1)).toBe("key-299");
});

test("a revocation that was seen stays seen, in whatever order a bucket's answers arrive", () => {
  const seen = new SeenRevocations();
  seen.note({ epoch: 5_000, revokedKeys: ["one"] }, 10);
  seen.note({ epoch: 0 }, 5);
  expect(seen.revokes({ issuedAtMs: 4_999, key: null })).toBe(true);
  expect(seen.revokes({ issuedAtMs: 5_000, key: null })).toBe(false);
  expect(seen.revokes({ issuedAtMs: 6_000, key: { id: "one", limits: null } })).toBe(true);
  expect(seen.seenAtMs).toBe(10);
});
