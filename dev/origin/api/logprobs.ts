import type { Choice, Delta } from "../engine/compose.ts";
import { numberFrom } from "../model/words.ts";

/** Log probabilities of tokens, derived from the token's text: deterministic and negative, with the chosen one the best. */
interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

function logprobOf(token: string): number {
  return -(numberFrom(token) % 500) / 1000;
}

function entryOf(token: string, logprob: number): TokenLogprob {
  return { token, logprob, bytes: [...Buffer.from(token)] };
}

function alternatives(token: string, count: number): TokenLogprob[] {
  const best = logprobOf(token);
  return Array.from({ length: count }, (_, at) =>
    at === 0
      ? entryOf(token, best)
      : entryOf(`${token}${"~".repeat(at)}`, best - at - (numberFrom(token) % 7) / 10),
  );
}

function tokenOf(delta: Delta): string {
  return delta.kind === "content" ? delta.token : "";
}

/** The form of chat answers, for the content tokens of these deltas. */
export function chatLogprobs(deltas: readonly Delta[], top: number): unknown {
  const tokens = deltas.map((delta) => tokenOf(delta)).filter((token) => token !== "");
  return {
    content: tokens.map((token) => ({
      ...entryOf(token, logprobOf(token)),
      top_logprobs: alternatives(token, top),
    })),
  };
}

/** The form of plain completions: parallel arrays. */
export function plainLogprobs(tokens: readonly string[], top: number, offset: number): unknown {
  const offsets: number[] = [];
  let at = offset;
  for (const token of tokens) {
    offsets.push(at);
    at += token.length;
  }
  return {
    text_offset: offsets,
    token_logprobs: tokens.map((token) => logprobOf(token)),
    tokens,
    top_logprobs: tokens.map((token) =>
      Object.fromEntries(alternatives(token, Math.max(top, 1)).map((one) => [one.token, one.logprob])),
    ),
  };
}

export function contentTokens(choice: Choice): string[] {
  return choice.deltas.map((delta) => tokenOf(delta)).filter((token) => token !== "");
}
