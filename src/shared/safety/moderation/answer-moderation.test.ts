import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AnswerModeration } from "./answer-moderation.ts";
import { categories, type Category } from "./categories.ts";
import { classify } from "./classify.ts";
import { flaggedBy, moderationPolicySchema } from "./moderation-policy.ts";
import { longestBlock } from "./text-blocks.ts";

const block = moderationPolicySchema.parse({ output: "block" });
const flag = moderationPolicySchema.parse({ output: "flag" });

const sentences = [
  "The weather in Lisbon is mild in spring, and most visitors walk along the river. ",
  "A process is killed by its number; its parent is told. ",
  "All immigrants are filthy vermin and should be killed. ",
  "I hate all women, they are worthless scum. ",
  "The recipe needs two eggs, some flour and a pinch of salt.\n",
  "My neighbours are Muslims and they brought us dinner last night. ",
  "🦀".repeat(30),
];

interface Run {
  readonly released: string;
  readonly blocked: boolean;
  readonly found: readonly Category[];
  readonly mostHeld: number;
}

function run(policy: typeof block, text: string, sizes: readonly number[], isJson = false): Run {
  const found = new Set<Category>();
  const moderation = new AnswerModeration(policy, isJson, (some) => {
    for (const one of some) found.add(one);
  });
  let released = "";
  let mostHeld = 0;
  let at = 0;
  for (let step = 0; at < text.length; step += 1) {
    const size = (sizes[step % sizes.length] ?? 0) + 1;
    const out = moderation.push(text.slice(at, at + size));
    at += size;
    if (out === null) return { released, blocked: true, found: [...found], mostHeld };
    released += out;
    mostHeld = Math.max(mostHeld, Math.min(at, text.length) - released.length);
  }
  const last = moderation.flush();
  return { released: released + (last ?? ""), blocked: last === null, found: [...found], mostHeld };
}

const texts = fc.array(fc.constantFrom(...sentences), { maxLength: 14 }).map((parts) => parts.join(""));
const chunks = fc.array(fc.nat(60), { minLength: 1, maxLength: 12 });

describe("a stream is judged as its whole text is, however it is cut", () => {
  test("a stream is flagged for the same categories as the whole text, and all of it is sent", () => {
    fc.assert(
      fc.property(texts, chunks, (text, sizes) => {
        const { released, blocked, found, mostHeld } = run(flag, text, sizes);
        expect(blocked).toBe(false);
        expect(released).toBe(text);
        expect(mostHeld).toBe(0);
        const whole = flaggedBy(classify(text), flag);
        expect(categories.filter((one) => found.includes(one))).toEqual(whole);
      }),
    );
  });

  test("a stream is blocked if the whole text would be flagged, sends only harmless blocks, and holds back one block at most", () => {
    fc.assert(
      fc.property(texts, chunks, (text, sizes) => {
        const { released, blocked, mostHeld } = run(block, text, sizes);
        expect(blocked).toBe(flaggedBy(classify(text), block).length > 0);
        expect(text.startsWith(released)).toBe(true);
        if (!blocked) expect(released).toBe(text);
        expect(flaggedBy(classify(released), block)).toEqual([]);
        expect(mostHeld).toBeLessThan(longestBlock + 61);
      }),
    );
  });
});

test("JSON is judged by the meaning of its escapes, and sent unchanged", () => {
  const hidden = String.raw`{"say":"I h\u0061te all wom\u0065n, they are worthless sc\u0075m."}`;
  expect(run(block, hidden, [3], true).blocked).toBe(true);
  const fine = String.raw`{"say":"caf\u00e9 \"au lait\"\n"}`;
  expect(run(block, fine, [3], true)).toMatchObject({ blocked: false, released: fine });
});

test("a threshold of 1 means never", () => {
  const never = moderationPolicySchema.parse({ output: "block", threshold: 1 });
  expect(run(never, sentences.join("").repeat(3), [7]).blocked).toBe(false);
  const onlyHate = moderationPolicySchema.parse({ output: "block", threshold: 1, thresholds: { hate: 0.5 } });
  expect(run(onlyHate, sentences.join(""), [7])).toMatchObject({ blocked: true, found: ["hate"] });
});
