import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { bucketName } from "../../src/shared/limits/bucket-name.ts";
import { resolveLimits } from "../../src/shared/limits/defaults.ts";
import { createLimitDesk } from "../../src/shared/limits/limit-desk.ts";
import { turn, use } from "../../src/shared/limits/simulated-turns.ts";
import type { DrawOutcome, DrawRequest } from "../../src/shared/limits/regional/region-protocol.ts";
import {
  bucketOf,
  callBucket,
  deskOptions,
  ownTenant,
  waitedBackground,
} from "../token-bucket/desk-fixture.ts";
import { createStockDraw } from "./stock-draw.ts";

const draw = createStockDraw(env.REGIONAL_STOCK);
const paris = { latitude: 48.9, longitude: 2.4 };

const pause = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));

async function until<T>(look: () => Promise<T | false>): Promise<T> {
  for (;;) {
    const seen = await look();
    if (seen !== false) return seen;
    await pause(50);
  }
}

/** A tenant of its own, whose org's bucket is as far as the Worker is concerned: each call of it takes 80 ms. */
function world() {
  const tenant = ownTenant();
  const bucket = { name: bucketName(tenant.id, "org", "research"), jurisdiction: "none" } as const;
  const { rules, leaseMs, timeZone, stock } = resolveLimits(tenant, "org", "pro");
  if (stock === null) throw new Error("no stock");
  const at = { region: "weur", tier: "pro", bucket } as const;
  const request = (id: string): DrawRequest => ({
    version: 1,
    id,
    bucket,
    terms: { rules, leaseMs, timeZone },
    ...stock,
  });
  const background = waitedBackground();
  const outcomes: DrawOutcome[] = [];
  const desk = () =>
    createLimitDesk(
      deskOptions({
        call: async (address, batch) => {
          if (address.name === bucket.name) await pause(80);
          return callBucket(address, batch);
        },
        regions: { draw, drawn: (outcome) => void outcomes.push(outcome) },
      }),
    ).admission(background);
  return {
    at,
    tenant,
    request,
    outcomes,
    desk,
    stock,
    name: `weur/pro/${bucket.name}`,
    root: () => bucketOf(tenant.id, "org", "research"),
    finished: () => background.finished(),
  };
}

test("a stock is borrowed behind the first draw, handed out loan by loan, and writes nothing", async () => {
  const { at, request, root, name, stock } = world();
  expect(await draw(at, request("first"))).toEqual({ version: 1, loan: null, heard: null });
  const second = await until(async () => {
    const reply = await draw(at, request(crypto.randomUUID()));
    return reply.loan !== null && reply;
  });
  expect(second.loan?.block).toEqual(stock.block);
  expect(second.heard).toMatchObject({ epoch: 0, standing: { requests: { limit: 3_000 } } });
  expect((await root().inspect([])).lent.requests).toBeGreaterThanOrEqual(stock.block.requests);
  const rows = await runInDurableObject(env.REGIONAL_STOCK.getByName(name), async (_object, state) => ({
    values: (await state.storage.list()).size,
    alarm: await state.storage.getAlarm(),
  }));
  expect(rows).toEqual({ values: 0, alarm: null });
});

test("200 at once through two isolates, in two rounds: what was used is what was settled, and nothing stays lent", async () => {
  const { at, tenant, request, root, desk, outcomes, finished, name } = world();
  const isolates = [desk(), desk()];
  const admit = async (isolate: number, id: string, tokens: number) => {
    const asked = turn(tenant, id, { user: `u${tokens % 8}`, tier: "pro", answerTokens: tokens });
    const admitted = await isolates[isolate]?.admit({ ...asked, place: paris });
    if (admitted?.ok !== true) throw new Error(JSON.stringify(admitted));
    return admitted.value;
  };
  await draw(at, request("warm"));
  for (const isolate of [0, 1]) (await admit(isolate, `first-${isolate}`, 10)).settle(use(10));
  await until(async () => outcomes.includes("loan"));
  let used = 20;
  for (let round = 0; round < 2; round += 1)
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const reservation = await admit(index % 2, `${round}-${index}`, index * 7 + 1);
        if (index % 9 === 0) await pause(index);
        used += index * 5;
        reservation.settle(use(index * 5));
      }),
    );
  await finished();
  // A stock that nobody draws from gives all of it back; until then its timer keeps the object in memory.
  const usage = await until(async () => {
    const inspection = await root().inspect([]);
    return inspection.lent.requests === 0 && inspection.usage.reserved.requests === 0 && inspection.usage;
  });
  expect(usage).toMatchObject({
    settled: { requests: 202, tokens: used },
    reserved: { requests: 0, tokens: 0, slots: 0 },
    unsettled: { requests: 0, tokens: 0 },
    unaccounted: { requests: 0, tokens: 0 },
  });
  // Only then may it be evicted; whoever comes next begins anew.
  await evictDurableObject(env.REGIONAL_STOCK.getByName(name));
  expect(await draw(at, request("last"))).toEqual({ version: 1, loan: null, heard: null });
}, 180_000);

test("a killed stock is empty and borrows anew; what it held stays lent, a quarter of what may be at most", async () => {
  const { at, request, root, stock } = world();
  const loanOf = async () => until(async () => (await draw(at, request(crypto.randomUUID()))).loan ?? false);
  const before = await loanOf();
  await abortAllDurableObjects();
  expect((await draw(at, request("after the kill"))).loan).toBeNull();
  const after = await loanOf();
  expect(after.id).not.toBe(before.id);
  const { lent } = await root().inspect([]);
  expect(lent.requests).toBeLessThanOrEqual((2 * stock.most + 2) * stock.block.requests);
});

test("the same draw sent again hands out the same loan", async () => {
  const { at, request } = world();
  const id = await until(async () => {
    const drawn = crypto.randomUUID();
    return (await draw(at, request(drawn))).loan !== null && drawn;
  });
  const first = await draw(at, request(id));
  expect((await draw(at, request(id))).loan?.id).toBe(first.loan?.id);
});
