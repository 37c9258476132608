/**
 * What does admission cost? Admit and settle under a loan, in Node, with buckets that answer at once: the part of the hot
 * path that src/shared/limits adds to a request. `node bench/limit-desk.ts`
 */
import type { ChargeId } from "../src/shared/contracts/ids.ts";
import type { BucketBatch, BucketReply } from "../src/shared/limits/bucket-protocol.ts";
import { KeptBucket } from "../src/shared/limits/kept-bucket.ts";
import { createLimitDesk } from "../src/shared/limits/limit-desk.ts";
import { tenantWith, turn } from "../src/shared/limits/simulated-turns.ts";

const most = 1_000_000_000;
const limits = {
  requests_per_minute: most,
  requests_per_hour: most,
  requests_per_day: most,
  tokens_per_minute: most,
  tokens_per_month: most,
  concurrent_requests: 100_000,
  cost_per_month_usd: 1_000_000,
};
const tenant = tenantWith({ user: { enterprise: limits }, org: { enterprise: limits } });
const buckets = new Map<string, KeptBucket>();

async function call({ name }: { name: string }, batch: BucketBatch): Promise<BucketReply> {
  let bucket = buckets.get(name);
  if (bucket === undefined) buckets.set(name, (bucket = new KeptBucket(null, Date.now())));
  return bucket.apply(batch, Date.now()).reply;
}

let calls = 0;
const desk = createLimitDesk({
  call: (address, batch) => {
    calls += 1;
    return call(address, batch);
  },
  now: Date.now,
  setTimer: (callback, ms) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
  newId: () => crypto.randomUUID(),
  takesLoans: true,
  events: { slow() {}, unreachable() {}, openAdmission() {}, settlementsLost() {} },
});
const admission = desk.admission({ run: (_name, work) => void work });
const request = turn(tenant, "warm", {
  tier: "enterprise",
  promptTokens: 30,
  answerTokens: 16,
  price: { input: 0.1, output: 0.2 },
});

async function round(count: number): Promise<number> {
  const startedMs = performance.now();
  for (let index = 0; index < count; index += 1) {
    const admitted = await admission.admit({ ...request, chargeId: "c" as ChargeId });
    if (!admitted.ok) throw new Error(admitted.error.kind);
    admitted.value.settle({ tokens: 40, requests: 1, microdollars: 12, model: "bench" });
  }
  return ((performance.now() - startedMs) / count) * 1_000;
}

for (let index = 0; index < 10; index += 1) {
  const admitted = await admission.admit({ ...request, chargeId: `w${index}` as ChargeId });
  if (!admitted.ok) throw new Error(admitted.error.kind);
  admitted.value.settle({ tokens: 40, requests: 1, microdollars: 12, model: "bench" });
  await new Promise((resolve) => setTimeout(resolve, 20));
}
const figures: number[] = [];
for (let index = 0; index < 40; index += 1) {
  figures.push(await round(500));
  await new Promise((resolve) => setTimeout(resolve, 30));
}
figures.sort((left, right) => left - right);
// oxlint-disable-next-line no-console -- the figures are what this is for.
console.log(
  `admit and settle: median ${(figures[20] ?? 0).toFixed(2)} µs, best ${(figures[0] ?? 0).toFixed(2)} µs; ${calls} bucket calls for 20,010 requests`,
);
process.exit(0);
