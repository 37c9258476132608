/**
 * The product as it ships under everything at once: all kinds of turns, replicas that fail in every way, then kills of the Worker and a
 * region that leaves the fleet. CHAOS_SECONDS says for how long (npm run test:chaos: ten minutes), CHAOS_SEED repeats a run's draws.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { bookOf, poolsOf, receiptsOf, standingsOf, type Amounts, type Charged } from "./chaos/books.ts";
import { startChaos, type ChaosWorld, type Phase } from "./chaos/chaos-run.ts";
import { deadlineMs, type Caller } from "./chaos/turns.ts";

const asked = process.env["CHAOS_SECONDS"];
const seconds = Number(asked ?? 40);
// Drawn for a run that is asked for. The short one among the other tests is the same each time.
const drawn = asked === undefined ? 21 : Math.floor(Math.random() * 2 ** 31);
const seed = Number(process.env["CHAOS_SEED"] ?? drawn);
/** Of each half: what it asks for, the last turns' ends, and a tenant's book, which is told once a minute. */
const timeout = seconds * 500 + 4 * deadlineMs + 120_000;

let world: ChaosWorld;
beforeAll(async () => {
  world = await startChaos(seed);
});
afterAll(() => world.stop());

function expectNoProblem({ problems, counts }: Phase): void {
  const broken = world.log.filter(
    (line) => line["notContinued"] !== undefined || Number(line["status"]) >= 500,
  );
  expect(problems, JSON.stringify({ counts, broken })).toEqual([]);
}

/** All that was asked has ended everywhere: in the pools, in the engines, and at the buckets of those whose turns outlive the Worker. */
async function expectRest(callers: readonly Caller[]): Promise<void> {
  const { product, admin } = world;
  await expect
    .poll(
      async () => (await poolsOf(product.url, admin)).map(({ leases, queue }) => leases + queue.waiting),
      {
        timeout: 60_000,
      },
    )
    .toEqual(product.document.clusters.map(() => 0));
  await expect
    .poll(() =>
      product.fleet.replicas
        .flatMap((replica) => replica.requests())
        .filter(({ state }) => state === "running"),
    )
    .toEqual([]);
  for (const caller of callers)
    await expect
      .poll(async () => (await standingsOf(product.url, caller)).user.reserved, { message: caller.name })
      .toMatchObject({ requests: 0, tokens: 0 });
}

function deliveredTo(caller: Caller, { turns }: Phase): number {
  return turns.reduce((sum, turn) => sum + (turn.caller === caller ? turn.tokens : 0), 0);
}

function loggedOf(org: string): Amounts {
  const lines = world.log.filter((line) => line["org"] === org && line["model"] !== undefined);
  const tokens = lines.reduce(
    (sum, line) => sum + Number(line["promptTokens"]) + Number(line["completionTokens"]),
    0,
  );
  return { requests: lines.length, tokens };
}

async function receipts({ turns }: Phase, caller: Caller): Promise<Charged> {
  const ids = turns.flatMap((turn) => (turn.caller === caller && turn.id !== null ? [turn.id] : []));
  return receiptsOf(world.product.url, caller, ids);
}

/** To whoever has but durable turns each of them is charged once, as its receipt says. */
async function expectReceipts(phase: Phase): Promise<void> {
  for (const caller of phase.callers) {
    if (caller.kind !== "durable") continue;
    const { requests, tokens } = await receipts(phase, caller);
    // An object that was killed before it told the bucket of its turn's end does so when it is looked at, as for the receipt.
    await expect
      .poll(async () => (await standingsOf(world.product.url, caller)).user.used, {
        message: caller.name,
        timeout: 15_000,
      })
      .toMatchObject({ requests, tokens });
  }
}

/** What an org's bucket counted of turns that reached a model. */
async function usedBy(phase: Phase, org: string): Promise<Amounts> {
  let withoutModel = 0;
  let used: Amounts = { requests: 0, tokens: 0 };
  for (const caller of phase.callers) {
    if (caller.org !== org) continue;
    withoutModel += (await receipts(phase, caller)).withoutModel;
    used = (await standingsOf(world.product.url, caller)).org.used;
  }
  return { requests: used.requests - withoutModel, tokens: used.tokens };
}

function orgsOf({ callers }: Phase): readonly string[] {
  return [...new Set(callers.map(({ org }) => org))];
}

/** A tenant's book is told once a minute, and what a kill left unsettled counts as used only when its time is over. */
async function expectBooked(phase: Phase): Promise<void> {
  const orgs = orgsOf(phase);
  await expect
    .poll(
      async () => {
        const book = await bookOf(world.product.url, world.admin);
        const differing: unknown[] = [];
        for (const org of orgs) {
          const [used, booked] = [await usedBy(phase, org), book.get(org)];
          if (used.requests !== booked?.requests || used.tokens !== booked.tokens)
            differing.push({ org, used, booked });
        }
        return differing;
      },
      { timeout: 180_000, interval: 1000 },
    )
    .toEqual([]);
}

/** In a run of some minutes: once caches and heaps have their size, nothing grows. */
function expectFlat({ residentKib }: Phase): void {
  if (residentKib.length < 200) return;
  const third = Math.floor(residentKib.length / 3);
  const [middle = 0, last = 0] = [1, 2].map(
    (at) => residentKib.slice(at * third, (at + 1) * third).toSorted((one, other) => one - other)[third >> 1],
  );
  expect(last, residentKib.join(" ")).toBeLessThan(1.15 * middle + 16_384);
}

test(
  `while replicas fail in every way nobody is refused or left waiting, and log, receipts and buckets agree to the token (seed ${seed})`,
  { timeout },
  async () => {
    const phase = await world.calm(seconds * 500);
    expectNoProblem(phase);
    expect(phase.otherLines).toEqual([]);
    await expectRest(phase.callers);
    for (const caller of phase.callers) {
      const { user, org } = await standingsOf(world.product.url, caller);
      expect(user.used.tokens, caller.name).toBeGreaterThanOrEqual(deliveredTo(caller, phase));
      if (caller.kind !== "mixed") expect(user.used, caller.name).toEqual(org.used);
    }
    for (const org of orgsOf(phase)) expect(await usedBy(phase, org), org).toEqual(loggedOf(org));
    await expectReceipts(phase);
    expectFlat(phase);
  },
);

test(
  `while the Worker is killed as well durable turns are whole and paid once, nothing is delivered unpaid, and the tenant's book is the buckets' (seed ${seed})`,
  { timeout },
  async () => {
    const untilMs = Date.now() + seconds * 500;
    let phase: Phase;
    do {
      // Those who come anew have their whole limits: each kill costs some of them.
      phase = await world.killed(Math.min(30_000, seconds * 500));
      expectNoProblem(phase);
      // What a kill leaves is told when it is mended.
      expect(phase.otherLines.filter((line) => !/"detail":"turn-(resumed|interrupted) /.test(line))).toEqual(
        [],
      );
      await expectRest(phase.callers.filter(({ kind }) => kind === "durable"));
      for (const caller of phase.callers) {
        const { used, reserved, unsettled, unaccounted } = (await standingsOf(world.product.url, caller))
          .user;
        const charged = [used, reserved, unsettled, unaccounted].reduce((sum, { tokens }) => sum + tokens, 0);
        expect(charged, caller.name).toBeGreaterThanOrEqual(deliveredTo(caller, phase));
      }
      await expectReceipts(phase);
    } while (Date.now() < untilMs);
    await expectBooked(phase);
  },
);
