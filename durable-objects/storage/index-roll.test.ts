/** Erasures of lists, whatever happens at the same time; over HTTP: test/workers/history-erasure.test.ts. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import { deletedThrough } from "./deleted-tenant.ts";
import { RollStore } from "./roll-store.ts";
import { index, tenantOf, tell, erase, listed } from "./index-roll-fixture.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

type Step =
  | { readonly kind: "tell"; readonly who: number; readonly at: number }
  | { readonly kind: "erase"; readonly who: number; readonly at: number }
  | { readonly kind: "erase-tenant"; readonly who: number; readonly at: number }
  | { readonly kind: "alarm" | "evict"; readonly who: number; readonly at: number };

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("tell", "tell", "tell", "erase", "erase-tenant", "alarm", "evict"),
  who: fc.nat({ max: 3 }),
  at: fc.integer({ min: 1, max: 50 }),
});

test("whatever is told and erased at the same time: each lists what was made behind its erasures, and no erasure of a tenant passes anybody over", async () => {
  let worlds = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 8 }),
      async (rounds) => {
        worlds += 1;
        const world = worlds;
        const beganMs = Date.now();
        const owners = [0, 1, 2, 3].map((who) => ({
          tenant: `roll-${world}-${who % 2}`,
          user: `user/${who}`,
        }));
        const told = owners.map(() => new Map<string, number>());
        const through = owners.map(() => 0);
        const run = async ({ kind, who, at }: Step): Promise<void> => {
          const owner = owners[who] ?? tenantOf("nobody");
          switch (kind) {
            case "tell": {
              told[who]?.set(`conv_w${world}-${who}-${at}`, at);
              return tell(owner, `w${world}-${who}-${at}`, beganMs + at);
            }
            case "erase": {
              through[who] = Math.max(through[who] ?? 0, at);
              await erase(owner, beganMs + at);
              return;
            }
            case "erase-tenant": {
              for (const one of [who, (who + 2) % 4]) through[one] = Math.max(through[one] ?? 0, at);
              await erase(tenantOf(owner.tenant), beganMs + at);
              return;
            }
            case "alarm":
              await runDurableObjectAlarm(index(owner));
              return;
            case "evict": {
              const evicted = who < 2 ? owner : tenantOf(owner.tenant);
              await listed(evicted);
              await evictDurableObject(index(evicted));
            }
          }
        };
        for (const round of rounds) {
          await Promise.all(round.filter(({ kind }) => kind !== "evict").map(run));
          for (const eviction of round.filter(({ kind }) => kind === "evict")) await run(eviction);
        }
        for (const [who, owner] of owners.entries())
          expect([...(await listed(owner))].sort()).toEqual(
            [...(told[who] ?? [])]
              .filter(([, at]) => at > (through[who] ?? 0))
              .map(([id]) => id)
              .sort(),
          );
        for (const tenant of [0, 1]) await erase(tenantOf(`roll-${world}-${tenant}`), beganMs + 100);
        for (const owner of owners) expect(await listed(owner)).toEqual([]);
      },
    ),
    { numRuns: 25 },
  );
});

test("a tenant of many users is erased in steps, by the alarm, also behind an eviction; each user's list leaves the roll", async () => {
  const tenant = "roll-of-many";
  const madeMs = Date.now();
  const users = Array.from({ length: 130 }, (_, at) => ({ tenant, user: `user-${at}` }));
  for (const [at, owner] of users.entries()) await tell(owner, `many-${at}`, madeMs);
  const first = await erase(tenantOf(tenant), madeMs);
  expect(first).toMatchObject({ result: "erased", pending: 70 });
  await evictDurableObject(index(tenantOf(tenant)));
  while (await runDurableObjectAlarm(index(tenantOf(tenant)))) {
    const left = await runInDurableObject(
      index(tenantOf(tenant)),
      (_index, { storage }) => storage.sql.exec("SELECT count(*) AS n FROM member").one()["n"],
    );
    if (left === 0) break;
  }
  for (const owner of users) expect(await listed(owner)).toEqual([]);
  expect(await erase(tenantOf(tenant), madeMs)).toEqual({ result: "erased", pending: 0 });
});

test("a list that older code made is on no roll until something is told to it; then it hears what it missed", async () => {
  const owner = { tenant: "roll-of-old", user: "ann" };
  const madeMs = Date.now();
  await tell(owner, "old", madeMs);
  await runInDurableObject(index(owner), (_index, { storage }) => {
    for (const table of ["membership", "member", "erasure", "doomed"])
      storage.sql.exec(`DROP TABLE ${table}`);
    storage.sql.exec("UPDATE schema_version SET version = 1");
  });
  await evictDurableObject(index(owner));
  await runInDurableObject(index(tenantOf(owner.tenant)), (_index, { storage }) => {
    storage.sql.exec("DELETE FROM member");
  });
  await erase(tenantOf(owner.tenant), madeMs);
  expect(await listed(owner)).toEqual(["conv_old"]);
  await tell(owner, "new", madeMs + 1);
  expect(await listed(owner)).toEqual(["conv_new"]);
});

test("another owner's message, and another version's, erase nothing", async () => {
  const owner = { tenant: "roll-of-strangers", user: "ann" };
  await tell(owner, "kept", 1);
  const stranger = { tenant: "roll-of-strangers", user: "bob" };
  const message = { v: 1, owner: stranger, throughMs: Date.now() } as const;
  expect(await index(owner).erase(message)).toEqual({ result: "unknown" });
  const newer = { ...message, owner, v: 2 } as unknown as typeof message;
  expect(await index(owner).erase(newer)).toEqual({ result: "version-unsupported", supported: 1 });
  expect(await listed(owner)).toEqual(["conv_kept"]);
});

test.each([
  ["it is gone", null, 1_000_000 - 120_000],
  ["it was made anew", { keys: { created_after: 900 } }, 899_999],
  ["it was not deleted after all", { keys: { created_after: 3 } }, null],
  ["its entry can't be read", "{", null],
])("what of a deleted tenant is looked for again: %s", async (_case, entry, throughMs) => {
  const text = entry === null || typeof entry === "string" ? entry : JSON.stringify(entry);
  const config = { get: async () => text } as unknown as KVNamespace;
  expect(await deletedThrough(config, "acme", 400_000, 1_000_000)).toBe(throughMs);
});

test("who is to be erased of what was made by then is so whatever an erasure of less says meanwhile", async () => {
  const owner = { tenant: "roll-of-less", user: "ann" };
  const madeMs = Date.now();
  await tell(owner, "late", madeMs + 7);
  const down = vi.spyOn(RollStore.prototype, "leaves").mockImplementation(() => {
    throw new Error("a user's list is down");
  });
  await erase(tenantOf(owner.tenant), madeMs + 10);
  down.mockRestore();
  await runInDurableObject(index(owner), (_index, { storage }) => {
    storage.sql.exec("UPDATE erasure SET through_ms = 0");
    storage.sql.exec("UPDATE entry SET id = 'conv_late', deleted_ms = NULL");
  });
  expect(await erase(tenantOf(owner.tenant), madeMs + 5)).toMatchObject({ result: "erased" });
  await evictDurableObject(index(tenantOf(owner.tenant)));
  await runDurableObjectAlarm(index(tenantOf(owner.tenant)));
  expect(await listed(owner)).toEqual([]);
});

test("what isolates made that still knew a deleted tenant is erased also where it is told only after it was looked again", async () => {
  const tenant = "roll-of-late";
  const deletedMs = Date.now();
  const lookAgainMs = deletedMs + 600_000;
  const own = index(tenantOf(tenant));
  await own.erase({ v: 1, owner: tenantOf(tenant), throughMs: deletedMs, lookAgainMs });
  vi.useFakeTimers({ toFake: ["Date"], now: lookAgainMs + 1 });
  try {
    expect(await runDurableObjectAlarm(own)).toBe(true);
    await tell({ tenant, user: "ann" }, "late", deletedMs + 30_000);
    expect(await listed({ tenant, user: "ann" })).toEqual([]);
    await tell({ tenant, user: "ann" }, "another's", lookAgainMs);
    expect(await listed({ tenant, user: "ann" })).toEqual(["conv_another's"]);
  } finally {
    vi.useRealTimers();
  }
});
