/**
 * May one question's answer be used for another question, however similar their vectors are? Compares their readings (read-question.ts) by
 * keyed hashes, so that no word of a question is stored or can be guessed without the key.
 */
import * as z from "zod";
import type { Place } from "./content-words.ts";
import { readQuestion, type QuestionReading } from "./read-question.ts";
import type { SipHash } from "./sip-hash.ts";

/** Changes when readings do: entries of an older one are then not found. */
export const featuresVersion = 4;

function makeSchema() {
  const hashes = z.array(z.int().min(0)).max(4096);
  const places = z.array(z.tuple([z.int().min(0), z.int().min(0)])).max(4096);
  return z.object({
    v: z.literal(featuresVersion),
    script: z.string().max(16),
    language: z.string().max(8).nullable(),
    words: hashes,
    links: places,
    articles: places,
    facts: hashes,
    names: hashes,
  });
}
/** Made by the first who needs it: most isolates have no tenant that does. */
let schema: ReturnType<typeof makeSchema> | null = null;

export type QuestionFeatures = z.infer<ReturnType<typeof makeSchema>>;

/**
 * `words`: every word counts, in its order. What a lexical embedder needs, to which all words are alike.
 * `facts`: only what an embedder that knows meanings gets wrong: numbers, negations, names, code.
 */
export type GuardLevel = "words" | "facts";

export type GuardVerdict = "same" | "language" | "facts" | "names" | "words";

export function featuresOf(
  text: string,
  hash: SipHash,
): { readonly features: QuestionFeatures; readonly reading: QuestionReading } {
  const reading = readQuestion(text);
  const { language, words, links, articles, facts, names } = reading;
  const hashed = (kind: string, list: readonly string[]): number[] => list.map((one) => hash.of(kind + one));
  const placed = (list: readonly Place[]): [number, number][] =>
    list.map(([before, word]) => [before, hash.of(`w${word}`)]);
  return {
    reading,
    features: {
      v: featuresVersion,
      script: language.script,
      language: language.name,
      words: hashed("w", words),
      links: placed(links),
      articles: placed(articles),
      facts: hashed("f", facts),
      names: hashed("w", names),
    },
  };
}

/** `null`: not what this version wrote. */
export function decodeFeatures(text: string): QuestionFeatures | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Cut off or foreign: such an entry is passed over.
    return null;
  }
  schema ??= makeSchema();
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : null;
}

/** Symmetric. Anything but `same` is a miss. */
export function compareFeatures(
  one: QuestionFeatures,
  other: QuestionFeatures,
  level: GuardLevel,
): GuardVerdict {
  if (!mayBeSame(one, other)) return "language";
  if (!equal(one.facts, other.facts)) return "facts";
  if (!contains(other.words, one.names) || !contains(one.words, other.names)) return "names";
  if (equal(one.words, other.words)) return placesAgree(one, other) ? "same" : "words";
  return level === "words" || isExchange(one.words, other.words) ? "words" : "same";
}

function mayBeSame(one: QuestionFeatures, other: QuestionFeatures): boolean {
  return (
    one.script === other.script &&
    (one.language === null || other.language === null || one.language === other.language)
  );
}

function equal(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((hash, at) => hash === other[at]);
}

function contains(words: readonly number[], names: readonly number[]): boolean {
  if (names.length === 0) return true;
  const known = new Set(words);
  return names.every((name) => known.has(name));
}

function placesAgree(one: QuestionFeatures, other: QuestionFeatures): boolean {
  return (["links", "articles"] as const).every(
    (kind) => agree(one[kind], other[kind]) && agree(other[kind], one[kind]),
  );
}

type Places = QuestionFeatures["links"];

/** Where both have something at the same place, it is the same. */
function agree(one: Places, other: Places): boolean {
  const there = new Map<number, Set<number>>();
  for (const [before, word] of other) {
    const at = there.get(before);
    if (at === undefined) there.set(before, new Set([word]));
    else at.add(word);
  }
  return one.every(([before, word]) => there.get(before)?.has(word) ?? true);
}

/**
 * Of two that differ: the same words in another order, or one in place of another. Nothing says whether that one means the same or
 * is another town's name in lower case.
 */
function isExchange(one: readonly number[], other: readonly number[]): boolean {
  if (one.length !== other.length) return false;
  const differing = one.filter((hash, at) => hash !== other[at]).length;
  return differing === 1 || equal([...one].sort(ascending), [...other].sort(ascending));
}

function ascending(left: number, right: number): number {
  return left - right;
}
