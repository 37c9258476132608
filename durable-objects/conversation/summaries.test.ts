import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { AppendTurn, NewItem, StoredItem } from "../../src/shared/contracts/conversation.ts";
import { itemsToSummarise } from "./summaries.ts";

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

test("a short conversation is left alone, and a long one loses whole turns, down to what is kept", () => {
  const limits = { afterUnits: 100, keepUnits: 40, mostUnits: 1000 };
  const turns = Array.from({ length: 6 }, () => [10, 10]);
  expect(itemsToSummarise(stored(turns.slice(0, 5)).reverse(), limits)).toBeNull();
  const found = itemsToSummarise(stored(turns).reverse(), limits);
  expect(found?.items.map(({ turnId }) => turnId)).toEqual(["t0", "t0", "t1", "t1", "t2", "t2", "t3", "t3"]);
  expect(found?.through).toBe(302);
  // No more at a time than the model can read.
  expect(itemsToSummarise(stored(turns).reverse(), { ...limits, mostUnits: 45 })?.through).toBe(102);
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
  expect(itemsToSummarise([...said, ...shown].reverse(), limits)).toBeNull();
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
        const found = itemsToSummarise(all.toReversed(), { afterUnits, keepUnits, mostUnits });
        if (found === null) return;
        const start = all.findIndex(({ id }) => id === found.items[0]?.id);
        expect(found.items).toEqual(all.slice(start, start + found.items.length));
        const next = all[start + found.items.length];
        expect(next).toBeDefined();
        expect(next?.turnId).not.toBe(found.items.at(-1)?.turnId);
        expect(found.through).toBe(found.items.at(-1)?.sequence);
      },
    ),
  );
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
