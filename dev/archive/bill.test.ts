import { describe, expect, it } from "vitest";
import { archivedTurn } from "../../src/shared/archive/turn-fixture.ts";
import type { ArchivedTurn } from "../../src/shared/archive/ports.ts";
import { archiveUnderTest, newTenant } from "./archive-fixture.ts";
import { billOf, type BillOptions } from "./bill.ts";
import { FakeQueue } from "./fake-queue.ts";

const world = archiveUnderTest();

/** @returns its bill as lines of cells */
async function billed(
  turns: readonly Partial<ArchivedTurn>[],
  options: Partial<BillOptions> = {},
): Promise<readonly string[][]> {
  const tenant = newTenant();
  const queue = new FakeQueue();
  for (const [at, turn] of turns.entries())
    await queue.archive.turn(archivedTurn({ tenant, chargeId: `${tenant}-${at}`, items: [], ...turn }));
  await queue.deliverAll(world.database);
  const csv = await billOf(world.database, {
    tenant,
    month: "2026-11",
    timeZone: "Europe/Berlin",
    by: ["org", "model"],
    ...options,
  });
  return csv.split("\r\n").map((line) => line.split(","));
}

const at = (text: string) => ({ endedMs: Date.parse(text) });
const inNovember = at("2026-11-15T12:00:00Z");

describe("a month's bill", () => {
  it("adds up tokens and money by what is asked for, cached and reasoning tokens apart", async () => {
    const usage = { promptTokens: 100, completionTokens: 40, cachedTokens: 60, reasoningTokens: 30 };
    expect(
      await billed([
        { ...inNovember, org: "red", usage, microdollars: 1_000_001 },
        { ...inNovember, org: "red", usage, microdollars: 2 },
        { ...inNovember, org: "blue", usage, model: "other", microdollars: null },
        { ...inNovember, org: "blue", model: null, usage: none, microdollars: 0 },
      ]),
    ).toEqual([
      "org,model,requests,prompt_tokens,cached_tokens,completion_tokens,reasoning_tokens,cost,currency,requests_without_cost".split(
        ",",
      ),
      ["blue", "other", "1", "100", "60", "40", "30", "0.000000", "USD", "1"],
      ["red", "llama-3.1-8b", "2", "200", "120", "80", "60", "1.000003", "USD", "0"],
    ]);
  });

  it("begins and ends at midnight where the tenant is, and has its days", async () => {
    const turns = [
      at("2026-10-31T22:59:59.999Z"),
      at("2026-10-31T23:00:00Z"),
      at("2026-11-30T22:59:59.999Z"),
      at("2026-11-30T23:00:00Z"),
    ];
    const [, ...berlin] = await billed(turns, { by: ["day"] });
    expect(berlin.map(([day, requests]) => [day, requests])).toEqual([
      ["2026-11-01", "1"],
      ["2026-11-30", "1"],
    ]);
    const [, ...utc] = await billed(turns, { by: [], timeZone: "UTC" });
    expect(utc.map(([requests]) => requests)).toEqual(["2"]);
  });

  it("has each charge at the price of its time, and tells prices apart where that is asked for", async () => {
    const before = { version: "f1", input: 1, output: 2 };
    const after = { version: "f2", input: 1, output: 3, cached_input: 0.1 };
    const [header, ...lines] = await billed(
      [
        { ...inNovember, price: before, microdollars: 10 },
        { ...inNovember, price: after, microdollars: 5 },
        { ...inNovember, price: after, microdollars: 5 },
      ],
      { by: ["price"] },
    );
    expect(header?.slice(0, 3)).toEqual([
      "usd_per_million_input",
      "usd_per_million_cached_input",
      "usd_per_million_output",
    ]);
    expect(lines.map((line) => [...line.slice(0, 4), line[8]])).toEqual([
      ["1", "0.1", "3", "2", "0.000010"],
      ["1", "1", "2", "1", "0.000010"],
    ]);
  });

  it("is one tenant's alone, and its names are no formulas", async () => {
    const [, ...lines] = await billed([{ ...inNovember, user: '=cmd"x' }], { by: ["user"] });
    expect(lines.map(([user]) => user)).toEqual([`"'=cmd""x"`]);
    expect(await billed([], { tenant: "nobody" })).toHaveLength(1);
  });
});

const none = { promptTokens: 0, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 };
