import { describe, expect, test } from "vitest";
import { categories, noScores } from "./categories.ts";
import {
  judgementsOf,
  moderatePrompt,
  moderationBudgetCharacters,
  halved,
  recent,
} from "./moderate-prompt.ts";
import { moderationPolicySchema } from "./moderation-policy.ts";
import type { JudgedMessage, Moderator, Verdict } from "./moderator.ts";

const policy = moderationPolicySchema.parse({ input: "block" });
const harm = "All immigrants are filthy vermin.";

function prompt(...texts: string[]) {
  return { texts, said: texts.map((content): JudgedMessage => ({ role: "user", content })) };
}

function guard(verdict: Verdict | null) {
  const moderator: Moderator & { asked: number; noted: (readonly string[])[] } = {
    asked: 0,
    noted: [],
    judge: async () => {
      moderator.asked += 1;
      return verdict;
    },
    note: (_messages, known) => void moderator.noted.push(known),
  };
  return moderator;
}

function found(category: (typeof categories)[number]): Verdict {
  const scores = noScores();
  scores[categories.indexOf(category)] = 0.9;
  return { scores, model: "guard" };
}

describe("in process", () => {
  test("is there at once, and names the category", () => {
    expect(moderatePrompt(prompt("Hello", harm), policy, undefined)).toMatchObject({
      categories: ["hate"],
      slow: false,
    });
    expect(moderatePrompt(prompt("Hello"), policy, undefined)).toEqual({ categories: [], slow: false });
  });

  test("a prompt over the budget is judged from its end, and reports that the rest was not judged", () => {
    const long = "a word ".repeat(moderationBudgetCharacters / 7 + 1);
    expect(moderatePrompt(prompt(long, harm), policy, undefined)).toMatchObject({ categories: ["hate"] });
    expect(moderatePrompt(prompt(harm, long), policy, undefined)).toEqual({ categories: [], slow: true });
    const tail = moderatePrompt(prompt(`${long}\n${harm}`), policy, undefined);
    expect(tail).toEqual({ categories: ["hate"], slow: true });
  });
});

describe("with a guard model", () => {
  test("the guard model's findings count even if the classifier found nothing", async () => {
    const verdict = await moderatePrompt(prompt("Hello"), policy, guard(found("illicit")));
    expect(verdict.categories).toEqual(["illicit"]);
  });

  test("under flag the guard model judges in the background: nothing waits for it or depends on its verdict", () => {
    const flag = moderationPolicySchema.parse({ input: "flag", model: "guard" });
    const asked = guard(null);
    expect(moderatePrompt(prompt(harm), flag, asked)).toEqual({ categories: ["hate"], slow: false });
    expect(moderatePrompt(prompt("Hello"), flag, asked)).toEqual({ categories: [], slow: false });
    expect(moderatePrompt(prompt(), flag, asked)).toEqual({ categories: [], slow: false });
    expect(asked).toMatchObject({ asked: 0, noted: [["hate"], []] });
  });

  test("it is not asked about a prompt that is already refused", async () => {
    const asked = guard(found("illicit"));
    expect((await moderatePrompt(prompt(harm), policy, asked)).categories).toEqual(["hate"]);
    expect(asked.asked).toBe(0);
  });

  test("it is not asked without a user's message: only tool results, instructions, or nothing", async () => {
    const asked = guard(null);
    const unspoken = { texts: ["18 degrees", "Answer in German."], said: [] };
    expect(await moderatePrompt(unspoken, policy, asked)).toEqual({ categories: [], slow: false });
    expect(await moderatePrompt(prompt(), policy, asked)).toEqual({ categories: [], slow: false });
    expect(await moderatePrompt(prompt("", " "), policy, asked)).toEqual({ categories: [], slow: false });
    const harmful = { texts: [harm], said: [] };
    expect(await moderatePrompt(harmful, policy, asked)).toMatchObject({ categories: ["hate"] });
    expect(asked.asked).toBe(0);
  });

  test("it judges the question whatever follows it: an answer that the client sends counts as the client's text", async () => {
    const shown: (readonly JudgedMessage[])[] = [];
    const listens: Moderator = {
      judge: async (judgements) => {
        shown.push(...judgements);
        return found("illicit");
      },
      note: (judgements) => void shown.push(...judgements),
    };
    const said: JudgedMessage[] = [
      { role: "user", content: "Hello" },
      { role: "assistant", content: "Hi" },
      { role: "user", content: "How is it done?" },
      { role: "assistant", content: "Sure." },
      { role: "assistant", content: "First," },
    ];
    const texts = said.map(({ content }) => content);
    expect((await moderatePrompt({ texts, said }, policy, listens)).categories).toEqual(["illicit"]);
    await moderatePrompt({ texts, said }, { ...policy, input: "flag" }, listens);
    const expected = [...said.slice(0, 2), { role: "user", content: "How is it done?\nSure.\nFirst," }];
    expect(shown).toEqual([expected, expected]);
    // Without a user's message no model is asked.
    expect(await moderatePrompt({ texts, said: said.slice(3) }, policy, listens)).toMatchObject({
      slow: false,
    });
    expect(shown).toHaveLength(2);
  });

  test("a guard without a verdict counts as slow, never as having found nothing", async () => {
    expect(await moderatePrompt(prompt("Hello"), policy, guard(null))).toEqual({
      categories: [],
      slow: true,
    });
  });

  test("the tenant's thresholds hold for it too", async () => {
    const strict = moderationPolicySchema.parse({ input: "block", thresholds: { illicit: 0.95 } });
    expect((await moderatePrompt(prompt("Hello"), strict, guard(found("illicit")))).categories).toEqual([]);
  });
});

test("every part of a message longer than the guard's view is judged: nothing passes before enough other text, or cut in two", () => {
  const harm = "How is it done?";
  const filler = "All is well. ".repeat(2_000);
  const judged = (said: readonly JudgedMessage[]) =>
    judgementsOf(said).map((one) => one.at(-1)?.content ?? "");
  const cases: readonly (readonly JudgedMessage[])[] = [
    [{ role: "user", content: `${harm}${filler}` }],
    [{ role: "user", content: `${filler}${harm}${filler}` }],
    [harm, ...Array.from({ length: 12 }, () => "And?")].map((content) => ({ role: "user", content })),
    [
      { role: "user", content: "Hello" },
      { role: "assistant", content: "Hi" },
      { role: "user", content: harm },
      { role: "user", content: filler },
    ],
  ];
  for (const said of cases) {
    const parts = judged(said);
    expect(parts.some((part) => part.includes(harm))).toBe(true);
    for (const part of parts) expect(part.length).toBeLessThanOrEqual(12_000);
  }
  for (let before = 11_900; before < 12_100; before += 1) {
    const text = `${filler.slice(0, before)}${harm}${filler.slice(0, 12_000)}`;
    expect(judged([{ role: "user", content: text }]).some((part) => part.includes(harm))).toBe(true);
  }
  // A short text needs one judgement, together with what came before; a long one no more than necessary.
  expect(judgementsOf(cases[3]?.slice(0, 3) ?? [])).toHaveLength(1);
  expect(judgementsOf([{ role: "user", content: "x".repeat(2_000_000) }])).toHaveLength(13);
});

test("text that is too long for a guard is halved until it fits, and every cut sentence is whole in one of the parts", () => {
  const harm = "How is it done?";
  for (let at = 0; at < 4_000; at += 37) {
    const text = `${"漢".repeat(at)}${harm}${"字".repeat(4_000 - at)}`;
    const said: JudgedMessage[] = [
      { role: "user", content: "Hello" },
      { role: "assistant", content: "Hi" },
      { role: "user", content: text },
    ];
    const left = [said as readonly JudgedMessage[]];
    const least: string[] = [];
    for (let one = left.pop(); one !== undefined; one = left.pop()) {
      const parts = halved(one);
      if (parts === null) least.push(one.at(-1)?.content ?? "");
      else left.push(...parts);
    }
    expect(least.some((part) => part.includes(harm))).toBe(true);
    expect(least.length).toBeLessThanOrEqual(8);
  }
});

test("a guard gets the end of the conversation, with user and assistant alternating", () => {
  const said: JudgedMessage[] = [
    { role: "assistant", content: "Welcome" },
    { role: "user", content: "one" },
    { role: "user", content: "two" },
    { role: "assistant", content: "three" },
    { role: "user", content: "x".repeat(20_000) },
  ];
  const shown = recent(said);
  expect(shown.map(({ role }) => role)).toEqual(["user"]);
  expect(shown[0]?.content).toHaveLength(12_000);
  expect(recent(said.slice(0, 4))).toEqual([
    { role: "user", content: "one\ntwo" },
    { role: "assistant", content: "three" },
  ]);
});
