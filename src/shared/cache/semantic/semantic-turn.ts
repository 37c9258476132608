/**
 * Has this question been asked before in other words? And what is stored of it once it is answered.
 *
 *   embed ▸ nearest (same scope) ▸ guards ▸ answer by its exact key
 *
 * All within the limit of a look-up, or it counts as a miss. Never throws: what breaks is a miss that is reported, since an answer can
 * always be generated.
 */
import type { Background } from "../../contracts/background.ts";
import type { Embedder } from "../../retrieval/ports.ts";
import type { AnswerCache, CacheLookup } from "../ports.ts";
import type { KeyedHash } from "../../turn/keyed-hash.ts";
import {
  compareFeatures,
  decodeFeatures,
  featuresOf,
  type GuardLevel,
  type QuestionFeatures,
} from "./question-features.ts";
import type { IndexPlace, SemanticIndex } from "./ports.ts";
import { SipHash } from "./sip-hash.ts";

/** What lives as long as the isolate. */
export interface SemanticParts {
  readonly index: SemanticIndex;
  /** In process. */
  readonly lexical: Embedder;
  readonly hash: KeyedHash;
  readonly nowMs: () => number;
  /** Calls `fire` once after `ms`, unless the returned function is called before. */
  readonly timer: (ms: number, fire: () => void) => () => void;
  /** The fault; never the question. */
  readonly onFault: (detail: string) => void;
}

/** One question, and where its like are to be found. */
export interface SemanticAsk {
  readonly text: string;
  readonly place: IndexPlace;
  readonly user: string;
  /** The exact key of the same request with another text (src/shared/turn/lookup-similar.ts). */
  readonly scope: () => Promise<string>;
  readonly embedder: Embedder;
  readonly level: GuardLevel;
  readonly atLeast: number;
  readonly maxEntries: number;
  readonly askedMs: number;
}

/** As `edgewise_cache_total` counts them. */
export type SemanticResult =
  | "semantic_hit"
  | "semantic_miss"
  /** A question was near enough, but a guard found it different. */
  | "semantic_guarded"
  /** Over its time: counts as a miss. */
  | "semantic_slow"
  /** The embedder or the index could not be asked. */
  | "semantic_failed";

export type SemanticFound =
  | { readonly result: "semantic_hit"; readonly lookup: Extract<CacheLookup, { result: "hit" }> }
  | { readonly result: Exclude<SemanticResult, "semantic_hit"> };

interface Prepared {
  readonly scope: string;
  readonly vector: Float32Array;
  readonly features: QuestionFeatures;
}

/** The nearest that are looked at. The guards may refuse several before one is the same. */
const candidates = 16;

export class SemanticTurn {
  readonly #ask: SemanticAsk;
  readonly #parts: SemanticParts;
  /** Of this request alone: made by the look-up, used again when the answer is kept. */
  #prepared: Promise<Prepared | null> | null = null;

  constructor(ask: SemanticAsk, parts: SemanticParts) {
    this.#ask = ask;
    this.#parts = parts;
  }

  /** @param oldestMs older answers do not count. A look-up that is too slow goes on in the background, and its result is ignored */
  find(
    answers: AnswerCache,
    background: Background,
    { limitMs, oldestMs }: { readonly limitMs: number; readonly oldestMs: number },
  ): Promise<SemanticFound> {
    return new Promise((resolve) => {
      const work = this.#find(answers, limitMs, oldestMs).then((found) => {
        cancel();
        resolve(found);
      });
      const cancel = this.#parts.timer(limitMs, () => {
        resolve({ result: "semantic_slow" });
        background.run("semantic look-up", work);
      });
    });
  }

  async #find(answers: AnswerCache, limitMs: number, oldestMs: number): Promise<SemanticFound> {
    try {
      const prepared = await this.#prepare();
      if (prepared === null) return { result: "semantic_miss" };
      const { place, atLeast, level } = this.#ask;
      const { scope, vector, features } = prepared;
      const near = await this.#parts.index.nearest(place, { scope, vector, atLeast, limit: candidates });
      let isGuarded = false;
      for (const entry of near) {
        const known = decodeFeatures(entry.features);
        if (known === null || compareFeatures(features, known, level) !== "same") {
          isGuarded = true;
          continue;
        }
        const lookup = await answers.lookup(entry.answerKey, limitMs, oldestMs);
        // Gone before its entry, too old for this client, or in another location still: the next may be there.
        if (lookup.result === "hit" && lookup.answer.createdMs >= oldestMs)
          return { result: "semantic_hit", lookup };
      }
      return { result: isGuarded ? "semantic_guarded" : "semantic_miss" };
    } catch (error) {
      this.#parts.onFault(String(error));
      return { result: "semantic_failed" };
    }
  }

  /** After the answer itself is kept. */
  async keep(answerKey: string, ttlSeconds: number): Promise<void> {
    try {
      const prepared = await this.#prepare();
      if (prepared === null) return;
      const { place, user, maxEntries, askedMs } = this.#ask;
      await this.#parts.index.keep(place, {
        scope: prepared.scope,
        vector: prepared.vector,
        answerKey,
        features: JSON.stringify(prepared.features),
        expiresMs: Math.floor(this.#parts.nowMs() + ttlSeconds * 1000),
        askedMs,
        askedBy: await askedBy(this.#parts.hash, place.tenant, user),
        maxEntries,
      });
    } catch (error) {
      this.#parts.onFault(String(error));
    }
  }

  #prepare(): Promise<Prepared | null> {
    this.#prepared ??= this.#read();
    return this.#prepared;
  }

  /** `null`: nothing in it can be compared. */
  async #read(): Promise<Prepared | null> {
    const { text, place, embedder, level, scope } = this.#ask;
    const key = await this.#parts.hash.of("semantic-words/1", place.tenant, JSON.stringify(place.user));
    const { features, reading } = featuresOf(text, new SipHash(key));
    if (reading.words.length === 0) return null;
    // The lexical embedder compares letters, so ways of asking are noise to it; an embedder of meanings needs whole sentences.
    const said = level === "words" ? reading.words.join(" ") : text;
    const [embedded, scopeKey] = await Promise.all([embedder.embed([said], "query"), scope()]);
    if (!embedded.ok) throw new Error(`the embedder refused: ${embedded.error.kind}`);
    const [vector] = embedded.value;
    if (vector === undefined) throw new Error("the embedder gave no vector");
    return vector.some((value) => value !== 0) ? { scope: scopeKey, vector, features } : null;
  }
}

/** Lets a shared index tell users apart without knowing them. */
export async function askedBy(hash: KeyedHash, tenant: string, user: string): Promise<string> {
  const bytes = await hash.of("semantic-user/1", tenant, JSON.stringify(user));
  return Array.from(bytes.slice(0, 12), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
