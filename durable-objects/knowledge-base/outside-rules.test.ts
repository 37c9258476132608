import { expect, test } from "vitest";
import {
  askedAmong,
  dayMs,
  nextStepMs,
  type OutsideStanding,
  retryAfterMs,
  seenAmong,
  seenWith,
  settleMs,
  stalledAmong,
} from "./outside-rules.ts";

const state = { dimensions: 8, vectors: 1, change: "other", changeMs: null };
const at = 1_000_000_000;
const block = { sentMs: at, takenMs: at + 1000, change: "mine" };
const minute = 60_000;

test.each([
  ["it names the very change", { change: "mine", changeMs: at }, minute, true],
  ["it names another, and not when", { changeMs: null }, 600 * minute, false],
  ["it is at a change of about the same time", { changeMs: at + 2000 }, 600 * minute, false],
  [
    "it is at a later one, or carried out an older one since",
    { changeMs: at + 60 * minute },
    61 * minute,
    false,
  ],
  ["it is at one that is surely later", { changeMs: at + 62 * minute }, 63 * minute, true],
  ["it is at an older one", { changeMs: at - 2 * minute }, 600 * minute, false],
  ["it never says how far it is, for some minutes", { change: null, changeMs: null }, 59 * minute, false],
  ["it never says how far it is, for long", { change: null, changeMs: null }, 62 * minute, true],
  [
    "it is new, and found nothing yet, for long",
    { change: null, changeMs: null, vectors: 0 },
    600 * minute,
    false,
  ],
])("whether searches see a block that the index took, where %s", (_, said, waitedMs, isSeen) => {
  expect(seenAmong([block], { ...state, ...said }, at + waitedMs)).toEqual(isSeen ? [block] : []);
});

test.each([
  ["it is at a change of about the same time, for long", { changeMs: at + 2000 }, 62 * minute, true],
  ["the same, for some minutes", { changeMs: at + 2000 }, 60 * minute, false],
  ["it is still at an older one, however long", { changeMs: at - 2 * minute }, 600 * minute, false],
  ["it does not say when", { changeMs: null }, 600 * minute, false],
])(
  "whether a block is sent once more, so that the index comes to name something later, where %s",
  (_, said, waitedMs, isSent) => {
    expect(stalledAmong([block], { ...state, ...said }, at + waitedMs)).toEqual(isSent ? block : undefined);
  },
);

test("with a change all are seen that were sent before it, and none behind it", () => {
  const blocks = [1, 2, 3].map((place) => ({ sentMs: at, takenMs: at + place, change: `m-${place}` }));
  const seen = seenAmong(blocks, { ...state, change: "m-2", changeMs: at }, at + 10);
  expect(seen.map(({ change }) => change)).toEqual(["m-1", "m-2"]);
  const atOnce = { sentMs: at, takenMs: at + 2, change: "m-4" };
  expect(seenAmong([...blocks, atOnce], { ...state, change: "m-2" }, at + 10)).not.toContain(atOnce);
  const nothing = { sentMs: at, takenMs: at, change: null };
  expect(seenAmong([nothing], { ...state, change: null }, at)).toEqual([nothing]);
});

test("which blocks the index is asked to show: the latest that it may find by now, and the eldest", () => {
  const blocks = [3, 1, 2].map((place) => ({
    sentMs: at,
    takenMs: at + place * minute,
    change: `m-${place}`,
  }));
  const asked = (changeMs: number | null) =>
    askedAmong(blocks, { ...state, changeMs }).map(({ change }) => change);
  expect(asked(null)).toEqual(["m-3", "m-1"]);
  expect(asked(at + 3 * minute)).toEqual(["m-3", "m-1"]);
  // By a minute's difference of the clocks.
  expect(asked(at + minute)).toEqual(["m-2", "m-1"]);
  expect(asked(at)).toEqual(["m-1"]);
  expect(asked(at - minute)).toEqual([]);
});

test("with a block that is found all are that came with it, or before it", () => {
  const blocks = [1, 2, 2, 3].map((place, index) => ({
    sentMs: at,
    takenMs: at + place,
    change: index === 1 ? "other" : `m-${place}`,
  }));
  const [first, , second] = blocks;
  if (second === undefined) throw new Error("there is none");
  expect(seenWith(second, blocks)).toEqual([first, second]);
  const together = { ...second, takenMs: second.takenMs };
  expect(seenWith(second, [...blocks, together])).toEqual([first, second, together]);
});

const idle: OutsideStanding = {
  owedSentMs: null,
  hasUnsent: false,
  takenMs: null,
  isLookedAfter: false,
  describedMs: at,
  againMs: 0,
};

test.each<[string, Partial<OutsideStanding>, number]>([
  ["nothing is there", {}, Infinity],
  ["something is there", { isLookedAfter: true }, at + dayMs],
  ["something waits to be sent", { hasUnsent: true }, 0],
  ["the index failed", { hasUnsent: true, againMs: at + 5 }, at + 5],
  [
    "what was just sent is owed: a call that was given up may still arrive",
    { owedSentMs: at },
    at + settleMs,
  ],
  ["what was just taken is not found yet", { takenMs: at }, at + 5_000],
  ["what was taken long ago is not found yet", { takenMs: at - 100_000 }, at + 25_000],
  ["what was taken very long ago is not found yet", { takenMs: 0 }, at + 300_000],
])("when the next step is: %s", (_, standing, expected) => {
  expect(nextStepMs({ ...idle, ...standing })).toBe(expected);
});

test("an index that fails is asked less and less often, every ten minutes in the end", () => {
  expect([1, 2, 3, 8, 100].map(retryAfterMs)).toEqual([5_000, 10_000, 20_000, 600_000, 600_000]);
});
