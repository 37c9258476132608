/** Does an isolate's memory grow with its users? 100,000 of them, each with a token, a bucket and an org's bucket, in one run. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import type { ChargeId } from "../../src/shared/contracts/ids.ts";
import { goodClaims, identityBench, signClaims } from "../../src/shared/identity/identity-fixture.ts";
import { AnswerLengths } from "../../src/shared/limits/answer-lengths.ts";
import type { BucketBatch, BucketReply } from "../../src/shared/limits/bucket-protocol.ts";
import { createLimitDesk } from "../../src/shared/limits/limit-desk.ts";
import { FakeClock, strictBackground } from "../../src/shared/limits/simulated-world.ts";
import { use } from "../../src/shared/limits/simulated-turns.ts";
import { TokenCalibration } from "../../src/shared/prompt/token-calibration.ts";

const users = 100_000;
const atOnce = 500;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapMegabytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** A bucket far away, of which nothing is in this isolate: it grants whatever is asked. */
async function call(_address: unknown, { operations }: BucketBatch): Promise<BucketReply> {
  return {
    version: 1,
    outcomes: operations.map(({ type }) =>
      type === "reserve" ? { type: "granted", receipt: 1 } : { type: "settled" },
    ),
    standing: {
      requests: { name: "requests_per_hour", limit: 100, remaining: 99, resetMs: 1 },
      tokens: null,
    },
    epoch: 0,
  };
}

test(`${users} distinct users in one run: once its caches are full, the isolate's heap stays flat`, async () => {
  const bench = await identityBench();
  const clock = new FakeClock();
  const background = strictBackground();
  const lost: number[] = [];
  const desk = createLimitDesk({
    call,
    now: () => clock.now,
    setTimer: clock.setTimer,
    random: () => 0.5,
    newId: () => crypto.randomUUID(),
    takesLoans: true,
    events: {
      slow() {},
      unreachable() {},
      openAdmission() {},
      settlementsLost: (count) => void lost.push(count),
    },
  });
  const answerLengths = new AnswerLengths();
  const calibration = new TokenCalibration();
  const turn = async (user: number): Promise<void> => {
    const token = await signClaims({ ...goodClaims, sub: `user-${user}`, org: `org-${user}` });
    const identified = await bench.identify(token);
    if (!identified.ok) throw new Error(identified.error.kind);
    if (identified.value.kind !== "tenant") throw new Error("the platform's own");
    const { principal, tenant } = identified.value;
    const admitted = await desk.admission(background).admit({
      principal,
      tenant,
      chargeId: `charge-${user}` as ChargeId,
      promptTokens: 50,
      answerTokens: answerLengths.expected(tenant.id, `model-${user}`),
      choices: 1,
      price: { input: 1, output: 1 },
      place: {},
    });
    if (!admitted.ok) throw new Error(admitted.error.kind);
    answerLengths.observe(tenant.id, `model-${user}`, 100);
    calibration.observe(tenant.id, `model-${user}`, 50, 55);
    admitted.value.settle(use(80));
  };
  const heaps: number[] = [heapMegabytes()];
  for (let from = 0; from < users; from += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, (_, at) => turn(from + at)));
    await clock.advance(300);
    if ((from + atOnce) % 20_000 === 0) heaps.push(heapMegabytes());
  }
  const told = heaps.map((heap) => heap.toFixed(1)).join(", ");
  // oxlint-disable-next-line no-console -- the figures are what this is for.
  console.log(`heap in MB, at the start and after each 20,000 users: ${told}`);
  const [, first = 0, ...later] = heaps;
  // One more user in memory is some 2 KB: 80,000 of them would be 160 MB.
  for (const heap of later) expect(heap).toBeLessThanOrEqual(first + 8);
  expect(lost).toEqual([]);
  expect(background.failures).toEqual([]);
}, 300_000);
