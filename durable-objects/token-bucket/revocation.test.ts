import { abortAllDurableObjects, evictDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { emptyBatch } from "../../src/shared/limits/bucket-protocol.ts";
import { createLimitDesk } from "../../src/shared/limits/limit-desk.ts";
import { turn, use } from "../../src/shared/limits/simulated-turns.ts";
import { bucketOf, callBucket, deskOptions, ownTenant, waitedBackground } from "./desk-fixture.ts";

/** A desk with a clock of its own in front of real buckets. */
function world() {
  const user = crypto.randomUUID();
  const tenant = ownTenant();
  let shiftMs = 0;
  let calls = 0;
  const now = () => Date.now() + shiftMs;
  const desk = createLimitDesk(
    deskOptions({
      call: (address, batch) => {
        calls += 1;
        return callBucket(address, batch);
      },
      now,
    }),
  );
  const background = waitedBackground();
  const admit = async (options: Parameters<typeof turn>[2] = {}) => {
    const request = turn(tenant, crypto.randomUUID(), { user, tier: "enterprise", ...options });
    const admitted = await desk.admission(background).admit(request);
    if (admitted.ok) admitted.value.settle(use(1));
    return admitted.ok ? "admitted" : admitted.error.kind;
  };
  const stub = () => bucketOf(tenant.id, "user", user);
  return { admit, stub, calls: () => calls, passTime: (ms: number) => void (shiftMs += ms), now };
}

test("under a loan a revoked credential is let in for the loan's life at most, then refused", async () => {
  const { admit, stub, calls, passTime, now } = world();
  const before = { issuedAtMs: now() - 60_000 };
  let asked = -1;
  for (let times = 0; times < 50 && asked !== calls(); times += 1) {
    asked = calls();
    expect(await admit(before)).toBe("admitted");
  }
  expect(asked).toBe(calls());
  await stub().revoke({ version: 1, what: "everything-issued-before-now" });
  passTime(9_500);
  expect(await admit(before)).toBe("credential-invalid");
  expect(await admit({ issuedAtMs: now() })).toBe("admitted");
});

test("where every turn asks, a revocation holds for the very next one, and through a kill and an eviction", async () => {
  const { admit, stub } = world();
  const free = { tier: "free", issuedAtMs: Date.now() - 1_000 } as const;
  expect(await admit(free)).toBe("admitted");
  await stub().revoke({ version: 1, what: "everything-issued-before-now" });
  await abortAllDurableObjects();
  expect(await admit(free)).toBe("credential-invalid");
  await evictDurableObject(stub());
  const fresh = await stub().apply(emptyBatch);
  expect(fresh.epoch).toBeGreaterThan(free.issuedAtMs);
});

test("a revoked key is named by the bucket, and its user's other credentials go on", async () => {
  const { admit, stub } = world();
  const key = { id: "0000000000000001", limits: null };
  expect(await admit({ tier: "free", key })).toBe("admitted");
  await stub().revoke({ version: 1, what: "key", keyId: key.id });
  await abortAllDurableObjects();
  expect(await admit({ tier: "free", key })).toBe("credential-invalid");
  expect(await admit({ tier: "free" })).toBe("admitted");
});
