import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  compareFeatures,
  decodeFeatures,
  featuresOf,
  type GuardLevel,
  type GuardVerdict,
} from "./question-features.ts";
import { readQuestion } from "./read-question.ts";
import { SipHash } from "./sip-hash.ts";

const hash = new SipHash(Uint8Array.from({ length: 16 }, (_, at) => at));

function compare(one: string, other: string, level: GuardLevel): GuardVerdict {
  const features = (text: string) => featuresOf(text, hash).features;
  const verdict = compareFeatures(features(one), features(other), level);
  // Whichever was asked first.
  expect(compareFeatures(features(other), features(one), level) === "same").toBe(verdict === "same");
  return verdict;
}

test.each([
  ["What is the capital of France?", "what's the capital of france"],
  ["How can I boil an egg?", "What is the best way to boil an egg?"],
  ["How do you boil eggs?", "how to boil an egg"],
  ["Can you please explain recursion?", "explain recursion"],
  ["What does osmosis mean?", "Define osmosis"],
  ["Which are the best schools in Rome?", "What is the best school of Rome?"],
  ["Is tea or coffee healthier?", "is coffee or tea healthier"],
  ["Why is there no sound in space?", "Why there is no sound in space?"],
  ["I can't sleep. What helps?", "I cannot sleep, what helps"],
  ["How much is 20,000 USD in euros?", "how much is 20000 USD in euros"],
  ["Ist das gut?", "ist DAS gut"],
  ["How do I clean my oven?", "How do I clean an oven?"],
  ["WHAT IS THE CAPITAL OF FRANCE", "what is the capital of France?"],
  ["What is NASA?", "what is nasa"],
  ["What is THE best OS?", "what is the best os"],
  ["What is 5 - 3?", "What is 5 – 3?"],
  ["Hello, what is the capital of France?", "What is the capital of France? Thanks!"],
  ["Please explain recursion", "Explain recursion, please."],
  ["What is Paris - the city?", "What is Paris – the city?"],
  ["What is the capital of France?", "What is capital of France ?"],
  ["What is the meaning of osmosis?", "What is the definition of osmosis?"],
  ["What is the meaning of life?", "what's the meaning of life"],
  ["What are good topics on osmosis?", "What are good topics of osmosis?"],
  ["Which are the best companies to work for?", "What is the best company to work?"],
  ["What is the best game on the App Store?", "What is the best game in the app store?"],
  ["For under which conditions does ice melt?", "Under which conditions does ice melt?"],
])("%s — %s: the same", (one, other) => {
  expect(compare(one, other, "words")).toBe("same");
});

test.each<readonly [string, string, GuardVerdict]>([
  ["Who won in 2023?", "Who won in 2024?", "facts"],
  ["How can I join?", "How can I not join?", "facts"],
  ["I can swim after lunch", "I can't swim after lunch", "facts"],
  ["Is it legal to park here?", "Is it illegal to park here?", "facts"],
  ["Is 5 km more than 3 miles?", "Is 3 km more than 5 miles?", "facts"],
  ["How do I run 10 miles?", "How do I run 10 minutes?", "facts"],
  ["Should I buy gold?", "Can I buy gold?", "facts"],
  ["Did he win?", "Will he win?", "facts"],
  ["When did he leave?", "Why did he leave?", "facts"],
  ["How many moons has Mars?", "How old has Mars?", "facts"],
  ["What does ls -a do?", "What does ls -l do?", "facts"],
  ["What does `a.map(f)` do?", "What does `a.map(g)` do?", "facts"],
  ['Who said "to be"?', 'Who said "to do"?', "facts"],
  ["Is C++ hard?", "Is C# hard?", "facts"],
  ["How do I open foo_bar.txt?", "How do I open foo_baz.txt?", "facts"],
  ["How do I fly from Rome to Oslo?", "How do I fly from Oslo to Rome?", "words"],
  ["What is the best hotel in Paris?", "What is the best hotel in Rome?", "names"],
  ["What is the best hotel in paris?", "what is the best hotel in rome", "words"],
  ["What is an IT job?", "What is it job?", "names"],
  ["What is x?", "What is X?", "names"],
  ["What is vitamin A?", "What is vitamin?", "names"],
  ["Explain polish grammar", "Explain Polish grammar", "facts"],
  ["Who is The Rock?", "Who is Rock?", "names"],
  ["How much is 1 m in feet?", "How much is 1 M in feet?", "facts"],
  ["What is 2 - 2?", "What is 2 2?", "facts"],
  ["What is my name?", "What is the name?", "words"],
  ["Are some people evil?", "Are people evil?", "words"],
  ["How do you feel?", "How do I feel?", "words"],
  ["How could Hitler rise?", "How can Hitler rise?", "facts"],
  ["How do I log in?", "How do I log on?", "facts"],
  ["Is ON legit in the US?", "Is OF legit in the US?", "names"],
  ["Correct the grammar: he go to a school", "Correct the grammar: he go to the school", "facts"],
  ["How many letters are in 'the'?", "How many letters are in 'a'?", "facts"],
  ["Say it in French: the cat", "Say it in French: a cat", "facts"],
  ["What are securities?", "What is security?", "words"],
  ["Are cats afraid of dogs?", "Are dogs afraid of cats?", "words"],
  ["How do you say hello in French?", "How do you say thanks in French?", "words"],
  ["Hello in French?", "Thanks in French?", "words"],
  ["What does actually mean?", "What does really mean?", "words"],
  ["What is the difference between a and an?", "What is the difference between in and on?", "facts"],
  ["What is the difference between a and an?", "What is the difference between the and an?", "words"],
  ["How do I get a visa for India?", "How do I get a visa in India?", "words"],
  ["What is in the box?", "What is the box?", "facts"],
  ["What is not A and B?", "What is not B and A?", "words"],
  ["What is the ratio of men and women?", "What is the ratio of women and men?", "words"],
  ["What is 2³?", "What is 23?", "facts"],
  ["What is CO?", "What is Co?", "names"],
  ["Wo wohnen Sie?", "Wo wohnen sie?", "names"],
  ["What does of mean?", "What does for mean?", "words"],
  ["What is a just war?", "What is a war?", "words"],
  ["What is a matrix?", "What is the Matrix?", "words"],
  ["What is the cloud?", "What is a cloud?", "words"],
  ["How big is the Amazon?", "How big is Amazon?", "words"],
  ["Who owns the Gap?", "Who owns Gap?", "words"],
  ["Is it safe to cook for my dog?", "Is it safe to cook my dog?", "words"],
  ["When does the train leave for Rome?", "When does the train leave Rome?", "words"],
  ["Who paid for Trump?", "Who paid Trump?", "words"],
  ["Who laughed at Bob?", "Who laughed Bob?", "words"],
  ["Should I invest in gold?", "Should I invest gold?", "facts"],
  ["What are the best books on Japan?", "What are the best books in Japan?", "facts"],
  ["What is the effect of stress on sleep?", "What is the effect on stress of sleep?", "words"],
  ["Whom does he work for?", "Whom does he work?", "words"],
  ["Which store is on the app store's street?", "Which store is under the app store's street?", "facts"],
  ["How much is 10% of 200?", "How much is 10% on 200?", "facts"],
  ["What is the meaning of life?", "What is the definition of life?", "words"],
  ["What is the meaning of life?", "Define life", "words"],
  ["Concatenate foo and bar", "Concatenate bar and foo", "words"],
  ["Print foo and bar", "Print bar and foo", "words"],
  ["Thanks for all the fish, who wrote it?", "For all the fish, who wrote it?", "words"],
  ["What does [] do in Python?", "What does {} do in Python?", "facts"],
  ["What does [a-z] do?", "What does (a-z) do?", "facts"],
  ["What does ?? do in C#?", "What does :: do in C#?", "facts"],
  ["What does - do in bash?", "What does -- do in bash?", "facts"],
  ["What is (2 + 3) * 4?", "What is 2 + (3 * 4)?", "facts"],
  ["How much is 5!?", "How much is 5?", "facts"],
  ["How many Mb are in a MB?", "How many MB are in a Mb?", "words"],
  ["How much are 5 MW in W?", "How much are 5 mW in W?", "facts"],
  ["¿Qué es el sol?", "Что такое солнце?", "language"],
  ["Was ist das Brot?", "What is the bread?", "language"],
])("%s — %s: another (%s)", (one, other, verdict) => {
  expect(compare(one, other, "words")).toBe(verdict);
  // Whoever knows meanings is told of facts and names as well.
  if (verdict !== "words") expect(compare(one, other, "facts")).toBe(verdict);
});

test("where an embedder knows meanings, other words are no other question, but one in place of another may be", () => {
  const asked = "How do I get rid of ants in my kitchen?";
  expect(compare(asked, "What helps against an invasion by ants where I cook?", "words")).not.toBe("same");
  expect(compare(asked, "How can I remove those ants crawling around my kitchen?", "facts")).toBe("facts");
  expect(compare(asked, "How do I banish ants that crawl around my kitchen?", "facts")).toBe("same");
  expect(compare(asked, "How do I get rid of moths in my kitchen?", "facts")).toBe("words");
});

const anyText = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc
    .array(
      fc.constantFrom("the", "Not", "5", "km", "C++", "why", "and", "is", "Paris", "x_y", '"', "`", "?"),
      {
        maxLength: 40,
      },
    )
    .map((words) => words.join(" ")),
);

test("any text is the same as itself, however it is spaced and ended, and what is written is read again", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const { features } = featuresOf(text, hash);
      expect(decodeFeatures(JSON.stringify(features))).toEqual(features);
      for (const level of ["words", "facts"] as const) {
        expect(compareFeatures(features, features, level)).toBe("same");
        expect(compare(text, `  ${text}  `, level)).toBe("same");
      }
    }),
  );
});

test("one more number, another number, or a negation is never the same", () => {
  const word: fc.Arbitrary<string> = fc.constantFrom(
    "how",
    "do",
    "i",
    "boil",
    "eggs",
    "the",
    "in",
    "Paris",
    "why",
    "and",
  );
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 12 }),
      fc.nat(12),
      fc.nat(99),
      (words, at, number) => {
        const place = at % (words.length + 1);
        const with_ = (piece: string) => words.toSpliced(place, 0, piece).join(" ");
        for (const level of ["words", "facts"] as const) {
          expect(compare(words.join(" "), with_(String(number)), level)).not.toBe("same");
          expect(compare(with_(String(number)), with_(String(number + 1)), level)).not.toBe("same");
          // English is known by its words; without any there is no negation to know.
          if (readQuestion(words.join(" ")).language.name === "en")
            expect(compare(words.join(" "), with_("not"), level)).not.toBe("same");
        }
      },
    ),
  );
});

test("reading is linear: hostile texts of the greatest length take no longer than others", () => {
  for (const piece of [
    "how ",
    "what is the best way ",
    "a-",
    "1,",
    "'s",
    '"',
    "`",
    "(",
    "is there a way ",
    "what do ",
    "é",
  ]) {
    const text = piece.repeat(Math.ceil(2000 / piece.length)).slice(0, 2000);
    expect(readQuestion(text).words.length).toBeLessThanOrEqual(2000);
  }
});

test("another key tells nothing of the same words", () => {
  const other = new SipHash(new Uint8Array(16));
  const one = featuresOf("What is the capital of France?", hash).features;
  const two = featuresOf("What is the capital of France?", other).features;
  expect(compareFeatures(one, two, "words")).not.toBe("same");
});

test.each(["", "{", "null", '{"v":2}', '{"v":1,"script":"latin"}', '{"v":1,"words":["x"]}'])(
  "what is none is passed over: %s",
  (text) => {
    expect(decodeFeatures(text)).toBe(null);
  },
);
