import * as fc from "fast-check";
import { expect, test } from "vitest";
import { porterStem } from "./porter-stem.ts";
import { saysNothing, wordsOf } from "./words.ts";

test.each([
  ["Configuring the REPLICAS' settings.", ["configur", "the", "replica", "set"]],
  ["Crème brûlée, Straße", ["creme", "brule", "strass"]],
  ["GPT-4o costs $3.50", ["gpt", "4o", "cost", "3", "50"]],
  ["snake_case camelCase", ["snake", "case", "camelcas"]],
  ["中国人 hello", ["中国", "国人", "hello"]],
  ["人", ["人"]],
  ["東京タワー", ["東京", "京タ", "タワ", "ワー"]],
  ["서울에서", ["서울", "울에", "에서"]],
  ["iPhone手机 2024年", ["iphon", "手机", "2024", "年"]],
  ["使用Python编程", ["使用", "python", "编程"]],
  ["Ａｐｐｌｅの株", ["appl", "の株"]],
  ["か\u3099く 한글", ["がく", "한글"]],
  ["ﾃﾚﾋﾞ", ["テレ", "レビ"]],
  ["㈜삼성, 삼성㈜ ㈝", ["주", "삼성", "삼성", "주", "오전"]],
  ["(주)삼성, 삼성(주) (오전)", ["주", "삼성", "삼성", "주", "오전"]],
  ["I ❤️ 1️⃣ 葛\u{e0100}飾", ["i", "1", "葛飾"]],
  ["", []],
  ["\u0000\"'()*^:- 😀", []],
  ["हिन्दी", ["हिन्दी"]],
  ["АВТОМОБИЛЬ", ["автомобиль"]],
])("%s is the words %j", (text, words) => {
  expect(wordsOf(text)).toEqual(words);
});

test.each([
  ["caresses", "caress"],
  ["ponies", "poni"],
  ["agreed", "agre"],
  ["plastered", "plaster"],
  ["motoring", "motor"],
  ["conflated", "conflat"],
  ["hopping", "hop"],
  ["falling", "fall"],
  ["filing", "file"],
  ["happy", "happi"],
  ["relational", "relat"],
  ["vietnamization", "vietnam"],
  ["electricity", "electr"],
  ["adjustment", "adjust"],
  ["adoption", "adopt"],
  ["probate", "probat"],
  ["controlling", "control"],
  ["is", "is"],
  ["4o", "4o"],
])("Porter stems %s to %s", (word, stem) => {
  expect(porterStem(word)).toBe(stem);
});

test("of one text never more words than asked for, none over its bound, all without blanks and marks", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.integer({ min: 0, max: 20 }),
      (text, limit) => {
        const words = wordsOf(text, limit);
        expect(words.length).toBeLessThanOrEqual(limit);
        expect(words).toEqual(wordsOf(text).slice(0, limit));
        for (const word of words) expect(word).toMatch(/^[^\s"'()*^:\u0000-\u001f]{1,200}$/u);
      },
    ),
  );
});

test("a hostile word costs no more than its letters", () => {
  for (const unit of ["y", "ae", "\u0301", "中", "ﷺ", "a\u0301"]) {
    const words = wordsOf(unit.repeat(200_000), 10);
    expect(words.length).toBeLessThanOrEqual(10);
  }
});

test("words that say nothing are known by their stems", () => {
  expect(wordsOf("Is this what they were doing").every(saysNothing)).toBe(true);
  expect(wordsOf("replica").some(saysNothing)).toBe(false);
});
