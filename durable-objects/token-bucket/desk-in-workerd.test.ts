import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { UserId } from "../../src/shared/contracts/ids.ts";
import type { BucketOperation } from "../../src/shared/limits/bucket-protocol.ts";
import { createLimitDesk } from "../../src/shared/limits/limit-desk.ts";
import { settleCharge } from "../../src/shared/limits/settle-charge.ts";
import { amounts, tenantWith, turn, use } from "../../src/shared/limits/simulated-turns.ts";
import { bucketStub } from "./bucket-stub.ts";
import { bucketOf, callBucket, deskOptions, ownTenant, waitedBackground } from "./desk-fixture.ts";

test("200 concurrent turns of mixed size, under loans and not: used equals what was settled, in both buckets", async () => {
  const user = crypto.randomUUID();
  const tenant = ownTenant();
  const desk = createLimitDesk(deskOptions());
  const work = waitedBackground();
  let used = 0;
  for (let round = 0; round < 4; round += 1)
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const request = turn(tenant, `${round}-${index}`, {
          user,
          tier: "enterprise",
          answerTokens: index * 7,
        });
        const admitted = await desk.admission(work).admit(request);
        if (!admitted.ok) throw new Error(admitted.error.kind);
        if (index % 5 === 0) await admitted.value.extend(index * 20 + 50, 0);
        used += index * 3;
        admitted.value.settle(use(index * 3));
      }),
    );
  await work.finished();
  for (const [scope, id] of [
    ["user", user],
    ["org", "research"],
  ] as const)
    expect((await bucketOf(tenant.id, scope, id).inspect([])).usage).toMatchObject({
      settled: { requests: 200, tokens: used },
      reserved: { requests: 0, tokens: 0 },
      unaccounted: { requests: 0, tokens: 0 },
    });
}, 60_000);

test("a turn is let in though the request whose call it waits for was reset", async () => {
  const user = crypto.randomUUID();
  const calls: string[] = [];
  const desk = createLimitDesk(
    deskOptions({
      call: async (address, batch) => {
        calls.push(address.name);
        if (calls.length <= 2) await new Promise(() => undefined);
        return callBucket(address, batch);
      },
    }),
  );
  // Each object is an I/O context of its own, as each request is.
  const doomed = env.CONVERSATION.getByName(crypto.randomUUID());
  const lost = runInDurableObject(doomed, async () => {
    const work = waitedBackground();
    await Promise.all([
      desk.admission(work).admit(turn(tenantWith({}), "doomed", { user })),
      new Promise(() => undefined),
    ]);
  }).catch((error: unknown) => error);
  // Looked at, not awaited: a promise that another object resolves is just what does not work here.
  while (calls.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  const waiting = ["a", "b", "c"].map((id) =>
    desk.admission(waitedBackground()).admit(turn(tenantWith({}), id, { user })),
  );
  await abortAllDurableObjects();
  expect((await Promise.all(waiting)).map((admitted) => admitted.ok)).toEqual([true, true, true]);
  expect(await lost).toBeInstanceOf(Error);
});

test("a charge is settled by its id alone, once, through kills", async () => {
  const user = crypto.randomUUID();
  const tenant = ownTenant();
  const desk = createLimitDesk(deskOptions({ takesLoans: false }));
  const admitted = await desk.admission(waitedBackground()).admit(turn(tenant, "turn-1", { user }));
  expect(admitted.ok).toBe(true);
  const charge = { chargeId: "turn-1", tenant, org: "research", user, tier: "free" } as const;
  for (let delivery = 0; delivery < 3; delivery += 1) {
    await settleCharge(callBucket, charge, use(33));
    await abortAllDurableObjects();
  }
  expect((await bucketOf(tenant.id, "user", user).inspect([])).usage).toMatchObject({
    settled: { requests: 1, tokens: 33 },
    reserved: { requests: 0, tokens: 0 },
  });
});

const step = fc.record({
  action: fc.constantFrom("admit", "admit", "settle", "settle-twice", "kill"),
  tokens: fc.integer({ min: 0, max: 5_000 }),
});

test("100 seeds on the real object: a kill between any two operations, duplicates; never above, exact in the end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
      const user = crypto.randomUUID() as UserId;
      const apply = (operation: BucketOperation) =>
        bucketOf("acme", "user", user).apply({
          version: 1,
          rules,
          leaseMs: 60_000,
          timeZone: "UTC",
          operations: [operation],
          acknowledge: "now",
        });
      const rules = [
        { name: "tokens_per_hour", unit: "tokens", capacity: 10_000, windowMs: 3_600_000_000 },
      ] as const;
      const open: { id: string; receipt: number; tokens: number }[] = [];
      let reserved = 0;
      let used = 0;
      for (const [index, { action, tokens }] of steps.entries()) {
        if (action === "kill") await abortAllDurableObjects();
        else if (action === "admit") {
          const id = `c${index}`;
          const total = amounts(1, tokens);
          const { outcomes } = await apply({ type: "reserve", id, total, ttlMs: 60_000, lend: false });
          const [outcome] = outcomes;
          if (outcome?.type !== "granted") continue;
          open.push({ id, receipt: outcome.receipt, tokens });
          reserved += tokens;
        } else {
          const settled = open.shift();
          if (settled === undefined) continue;
          const spent = Math.floor(settled.tokens / 2);
          for (let times = action === "settle" ? 1 : 2; times > 0; times -= 1)
            await apply({
              type: "settle",
              id: settled.id,
              receipt: settled.receipt,
              sequence: 1,
              used: amounts(1, spent),
              models: [],
              held: amounts(0, 0),
              granted: amounts(1, settled.tokens),
              ended: true,
            });
          reserved -= settled.tokens;
          used += spent;
        }
        const { usage } = await bucketOf("acme", "user", user).inspect(rules);
        expect(usage.settled.tokens).toBe(used);
        expect(
          usage.settled.tokens + usage.reserved.tokens + usage.unaccounted.tokens,
        ).toBeGreaterThanOrEqual(used + reserved);
        expect(used + reserved).toBeLessThanOrEqual(10_001);
      }
    }),
    { numRuns: 100, endOnFailure: true },
  );
}, 120_000);

test("a jurisdiction makes another bucket of the same name", async () => {
  const name = crypto.randomUUID();
  const ids = (["none", "eu"] as const).map((jurisdiction) =>
    bucketStub(env.TOKEN_BUCKET, { name, jurisdiction }, false).id.toString(),
  );
  expect(new Set(ids).size).toBe(2);
});
