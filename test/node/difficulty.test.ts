import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { heldOut, labelledPrompts, report, written } from "../../dev/difficulty.ts";

/** The bar of the strategy `cost`: what it saves and how often it is wrong, on prompts that its weights never saw. */
test("on labelled prompts that it was not fitted on, the score is wrong for at most a tenth and saves most of what there is", () => {
  const all = labelledPrompts();
  expect(all.length).toBeGreaterThanOrEqual(200);
  expect(new Set(all.map(({ prompt }) => prompt)).size).toBe(all.length);
  const held = report(heldOut(all), 0.5);
  process.stdout.write(`${written("held out", held)}\n${written("all", report(all, 0.5))}\n`);
  expect(held.wrongRate).toBeLessThanOrEqual(0.1);
  expect(held.costSavedMostlyEasy).toBeGreaterThan(0.15);
});

test("a higher threshold saves more and sends more hard prompts to the cheap model", () => {
  const prompts = labelledPrompts();
  const reports = [0, 0.3, 0.5, 0.7, 1].map((threshold) => report(prompts, threshold));
  for (const [at, one] of reports.entries()) {
    const before = reports[at - 1];
    if (before === undefined) continue;
    expect(one.costSaved).toBeGreaterThanOrEqual(before.costSaved);
    expect(one.hardToCheap).toBeGreaterThanOrEqual(before.hardToCheap);
  }
  expect(reports[0]?.costSaved).toBe(0);
});

test("docs/difficulty.md gives the figures that the script prints", () => {
  const page = readFileSync(new URL("../../docs/difficulty.md", import.meta.url), "utf8");
  for (const threshold of [0.3, 0.5, 0.7])
    expect(page).toContain(written("held out", report(heldOut(labelledPrompts()), threshold)));
});
