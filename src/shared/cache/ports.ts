import type { Usage } from "../contracts/usage.ts";

/** A complete answer that passed the guard, as it can be replayed to any client. */
export interface CachedAnswer {
  readonly model: string;
  readonly createdMs: number;
  readonly choices: readonly CachedChoice[];
  readonly usage: Usage;
}

export interface CachedChoice {
  readonly content: string | null;
  readonly reasoning: string | null;
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  readonly finishReason: string;
}

export type CacheLookup =
  | {
      readonly result: "hit";
      readonly answer: CachedAnswer;
      readonly ttlSeconds: number;
      readonly tier: "memory" | "cache-api" | "kv";
    }
  | { readonly result: "miss" | "slow" };

/**
 * Answers by key. A look-up that takes over `limitMs` (20 where nothing is said) resolves as `slow`, which is a miss. Never throws.
 * Where what the isolate remembers is from before `oldestMs`, a newer one is looked for.
 */
export interface AnswerCache {
  lookup(key: string, limitMs?: number, oldestMs?: number): Promise<CacheLookup>;
  store(key: string, answer: CachedAnswer, ttlSeconds: number): Promise<void>;
}
