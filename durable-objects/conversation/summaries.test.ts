import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { AppendTurn, NewItem, StoredItem } from "../../src/shared/contracts/conversation.ts";
import { itemsToSummarise, type SummarisedPath } from "./summaries.ts";

const owner = { tenant: "demo", user: "alice" };

function stored(turns: readonly (readonly number[])[]): StoredItem[] {
  return turns.flatMap((sizes, turn) =>
    sizes.map((size, at) => ({
      sequence: turn * 100 + at + 1,
      id: `i${turn}-${at}`,
      turnId: `t${turn}`,
      type: "message",
      role: "user",
      json: "x".repeat(size),
      createdMs: 0,
    })),
  );
}

/** @param items oldest first */
function path(items: readonly StoredItem[]): SummarisedPath {
  return { newestFirst: () => items.toReversed(), oldestFirst: () => items };
}

test("a short conversation is left alone, and a long one loses whole turns, down to what is kept", () => {
  const limits = { afterUnits: 100, keepUnits: 40, mostUnits: 1000 };
  const turns = Array.from({ length: 6 }, () => [10, 10]);
  expect(itemsToSummarise(path(stored(turns.slice(0, 5))), limits)).toBeNull();
  const found = itemsToSummarise(path(stored(turns)), limits);
  expect(found?.items.map(({ turnId }) => turnId)).toEqual(["t0", "t0", "t1", "t1", "t2", "t2", "t3", "t3"]);
  expect(found?.through).toBe(302);
  // No more at a time than the model can read.
  expect(itemsToSummarise(path(stored(turns)), { ...limits, mostUnits: 45 })?.through).toBe(102);
});

test("a picture, and what an answer cites, put nothing in short: they count as what a model reads of them", () => {
  const limits = { afterUnits: 50_000, keepUnits: 20_000, mostUnits: 50_000 };
  const said = stored(Array.from({ length: 6 }, () => [100, 100]));
  const content = [{ type: "input_image", image_url: `data:image/png;base64,${"A".repeat(900_000)}` }];
  const cites = [{ type: "output_text", text: "[1]", annotations: ["x".repeat(60_000)], logprobs: [] }];
  const shown = stored([[1, 1]]).map((one, at) => ({
    ...one,
    sequence: 1000 + at,
    turnId: "shown",
    json: JSON.stringify({ type: "message", content: at === 0 ? content : cites }),
  }));
  expect(itemsToSummarise(path([...said, ...shown]), limits)).toBeNull();
});

test("whatever the sizes, only whole turns go, oldest first, and the latest turn stays", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }), {
        minLength: 1,
        maxLength: 12,
      }),
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 0, max: 100 }),
      fc.integer({ min: 1, max: 200 }),
      (turns, afterUnits, keepUnits, mostUnits) => {
        const all = stored(turns);
        const found = itemsToSummarise(path(all), { afterUnits, keepUnits, mostUnits });
        if (found === null) return;
        // Whatever a summary stands for is in what it is made of.
        expect(found.items).toEqual(all.slice(0, found.items.length));
        const next = all[found.items.length];
        expect(next).toBeDefined();
        expect(next?.turnId).not.toBe(found.items.at(-1)?.turnId);
        expect(found.through).toBe(found.items.at(-1)?.sequence);
      },
    ),
  );
});

test("of a conversation that is far behind, the oldest goes first: nothing is stood for that was not read", () => {
  const limits = { afterUnits: 100, keepUnits: 40, mostUnits: 60 };
  const turns = Array.from({ length: 500 }, () => [10, 10]);
  const found = itemsToSummarise(path(stored(turns)), limits);
  expect(found?.items.map(({ turnId }) => turnId)).toEqual(["t0", "t0", "t1", "t1", "t2", "t2"]);
  expect(found?.through).toBe(202);
});

test("photographs are put in short before a history is cut for their size", () => {
  const limits = { afterUnits: 400_000, keepUnits: 160_000, mostUnits: 400_000 };
  const turns = Array.from({ length: 9 }, (_, turn) => turn);
  const photo = { type: "input_image", image_url: `data:image/png;base64,${"A".repeat(800_000)}` };
  const items = turns.flatMap((turn) =>
    stored([[1, 1]]).map((one, at) => ({
      ...one,
      id: `p${turn}-${at}`,
      sequence: turn * 100 + at,
      turnId: `p${turn}`,
      json: JSON.stringify({ type: "message", content: at === 0 ? [photo] : "Nice." }),
    })),
  );
  expect(itemsToSummarise(path(items), limits)?.items.at(-1)?.turnId).toBe("p3");
  expect(itemsToSummarise(path(items.slice(8)), limits)).toBeNull();
});

test("scripts whose letters are tokens are put in short in time", () => {
  const limits = { afterUnits: 1000, keepUnits: 400, mostUnits: 1000 };
  const said = (text: string) =>
    stored(Array.from({ length: 6 }, () => [1, 1])).map((one) => ({ ...one, json: text.repeat(50) }));
  expect(itemsToSummarise(path(said("a")), limits)).toBeNull();
  expect(itemsToSummarise(path(said("語")), limits)).not.toBeNull();
});

const item = (text: string): NewItem => ({
  type: "message",
  role: "user",
  json: JSON.stringify({ type: "message", role: "user", content: text }),
});

function turn(turnId: string, behind: string | null = null): AppendTurn {
  const items = [item(`${turnId}?`), item(`${turnId}!`)];
  return { v: 1, owner, id: "c", mustExist: false, incarnation: 1, turnId, items, behind };
}

test("a summary stands for what came before it, on the branches that lead through it, and is saved once", async () => {
  const stub = env.CONVERSATION.getByName("summaries-test-1");
  for (const id of ["a", "b", "c", "d"]) await stub.append(turn(id));
  const limits = { v: 1, owner, afterUnits: 100, keepUnits: 100, mostUnits: 10_000 } as const;
  const found = await stub.summaryWork(limits);
  if (found.result !== "ok") throw new Error(found.result);
  const { incarnation, previousThrough, through, items } = found.work;
  expect(items).toHaveLength(6);
  const save = { v: 1, owner, incarnation, previousThrough, through, text: "a, b and c" } as const;
  expect(await stub.saveSummary(save)).toEqual({ result: "saved" });
  // Another one that was made from the same beginning comes too late.
  expect(await stub.saveSummary({ ...save, text: "late" })).toEqual({ result: "superseded" });
  expect(await stub.saveSummary({ ...save, incarnation: 9 })).toEqual({ result: "superseded" });
  const load = { v: 1, owner, mustExist: false, limitItems: 100, limitTokens: 10_000 } as const;
  const history = await stub.history(load);
  if (history.result !== "ok") throw new Error(history.result);
  expect(history.summary).toBe("a, b and c");
  expect(history.items).toHaveLength(2);
  expect(await stub.summaryWork(limits)).toEqual({ result: "nothing" });
  // A branch from before the summary's end knows nothing of it.
  const behindA = items[1]?.id ?? "";
  expect(await stub.history({ ...load, upTo: behindA })).toMatchObject({ summary: null, items: [{}, {}] });
  // One from behind it does.
  const behindC = items[5]?.id ?? "";
  await stub.append(turn("D", behindC));
  expect(await stub.history(load)).toMatchObject({ summary: "a, b and c", items: [{}, {}] });
  // What was taken out is in no summary.
  await stub.deleteItem({ v: 1, owner, itemId: behindA });
  expect(await stub.history(load)).toMatchObject({ summary: null });
  expect(await stub.summaryWork({ ...limits, owner: { tenant: "demo", user: "bob" } })).toEqual({
    result: "unknown",
  });
});

test("an item that is taken out while a summary is written is in no summary, and the next one does without it", async () => {
  const stub = env.CONVERSATION.getByName("summaries-test-2");
  for (const id of ["a", "b", "c", "d"]) await stub.append(turn(id));
  const limits = { v: 1, owner, afterUnits: 100, keepUnits: 100, mostUnits: 10_000 } as const;
  const write = async () => {
    const found = await stub.summaryWork(limits);
    if (found.result !== "ok") throw new Error(found.result);
    const { incarnation, previousThrough, through, items } = found.work;
    return {
      items,
      save: { v: 1, owner, incarnation, previousThrough, through, itemCount: items.length } as const,
    };
  };
  const { items, save } = await write();
  await stub.deleteItem({ v: 1, owner, itemId: items[1]?.id ?? "" });
  expect(await stub.saveSummary({ ...save, text: "with it" })).toEqual({ result: "superseded" });
  const again = await write();
  expect(again.items.map(({ id }) => id)).not.toContain(items[1]?.id);
  expect(await stub.saveSummary({ ...again.save, text: "without it" })).toEqual({ result: "saved" });
});
