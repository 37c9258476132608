/** KV and the last change's word of a tenant, where they differ: the later one holds. */
import { expect, test } from "vitest";
import { goneMark } from "./gone-mark.ts";
import { type LatelyLeft, standingOf } from "./lately-left.ts";

const atMs = 1_790_000_000_500;
const eu = { jurisdiction: "eu", createdAfter: 7 } as const;
const made: LatelyLeft = { atMs, lasting: eu };
const deleted: LatelyLeft = { atMs, lasting: null };
const entry = (jurisdiction: string, createdAfter: number) =>
  JSON.stringify({ jurisdiction, keys: { created_after: createdAfter } });

test.each([
  ["nothing was ever there", null, null, null, { exists: false, isGone: false, lasting: [] }],
  ["it is there", entry("eu", 7), null, null, { exists: true, lasting: [eu] }],
  ["its entry is broken", "{", null, null, { exists: true, isGone: false, lasting: [] }],
  ["it is gone", null, goneMark(5, true), null, { exists: false, isGone: true, lasting: [] }],
  ["it was made, and KV does not tell it", null, null, made, { exists: true, isGone: false, lasting: [eu] }],
  [
    "it was made anew, and KV tells of the one before that it is gone",
    null,
    goneMark(atMs - 1, false),
    made,
    { exists: true, lasting: [eu] },
  ],
  ["a command deleted it since", null, goneMark(atMs, false), made, { exists: false, isGone: true }],
  ["it was deleted, and KV does not tell it", entry("eu", 7), null, deleted, { exists: false, isGone: true }],
  ["it was deleted, and KV tells neither", null, null, deleted, { exists: false, isGone: true, lasting: [] }],
  [
    "a command put it since",
    entry("none", 1_790_000_000),
    null,
    deleted,
    { exists: true, lasting: [{ jurisdiction: "none", createdAfter: 1_790_000_000 }] },
  ],
  [
    "it was made, and a command deleted it and put it since",
    entry("none", 1_790_000_001),
    null,
    made,
    { exists: true, isGone: false, lasting: [{ jurisdiction: "none", createdAfter: 1_790_000_001 }] },
  ],
  [
    "it was made anew, and KV tells the same",
    entry("eu", 1_790_000_000),
    null,
    { atMs, lasting: { jurisdiction: "eu", createdAfter: 1_790_000_000 } } as const,
    { exists: true, lasting: [{ jurisdiction: "eu", createdAfter: 1_790_000_000 }, {}] },
  ],
  [
    "it was made anew elsewhere, and KV tells the one before",
    entry("none", 0),
    null,
    made,
    { exists: true, lasting: [{ jurisdiction: "none", createdAfter: 0 }, eu] },
  ],
])("%s", (_, text, mark, lately, standing) => {
  expect(standingOf(text, mark, lately)).toMatchObject(standing);
});
