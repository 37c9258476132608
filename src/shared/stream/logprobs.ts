/** Log probabilities as OpenAI's chat schema has them, from either engine API. */
import { isRecord } from "../wire/is-record.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface ChatLogprobs {
  readonly content: readonly Fields[] | null;
  readonly refusal: readonly Fields[] | null;
}

/** Whether they belong to any token. A token that is only part of a character (a third of an emoji) comes without text. */
export function hasEntries(logprobs: Fields | undefined): boolean {
  const { content, refusal, tokens } = logprobs ?? {};
  return [content, refusal, tokens].some((list) => Array.isArray(list) && list.length > 0);
}

/** Chat's own form gets the list that the schema demands and vLLM leaves out; the legacy lists are turned into entries. */
export function toChatLogprobs(logprobs: Fields | undefined): ChatLogprobs | null {
  if (logprobs === undefined) return null;
  if (Array.isArray(logprobs["tokens"])) return { content: fromLegacy(logprobs), refusal: null };
  return { content: entries(logprobs["content"]), refusal: entries(logprobs["refusal"]) };
}

function entries(value: unknown): Fields[] | null {
  if (!Array.isArray(value)) return null;
  return (value as readonly unknown[]).filter(isRecord).map((entry) => ({
    ...token(entry["token"], entry["logprob"], entry["bytes"]),
    top_logprobs: (Array.isArray(entry["top_logprobs"]) ? (entry["top_logprobs"] as readonly unknown[]) : [])
      .filter(isRecord)
      .map((other) => token(other["token"], other["logprob"], other["bytes"])),
  }));
}

function fromLegacy(lists: Fields): Fields[] {
  const tokens = lists["tokens"] as readonly unknown[];
  const logprobs = Array.isArray(lists["token_logprobs"]) ? (lists["token_logprobs"] as unknown[]) : [];
  const tops = Array.isArray(lists["top_logprobs"]) ? (lists["top_logprobs"] as unknown[]) : [];
  return tokens.map((text, at) => {
    const top = tops[at];
    return {
      ...token(text, logprobs[at], undefined),
      top_logprobs: isRecord(top)
        ? Object.entries(top).map(([name, value]) => token(name, value, undefined))
        : [],
    };
  });
}

/** What a token without a probability gets: OpenAI's own stand-in for "very unlikely". */
const leastLogprob = -9999;

function token(text: unknown, logprob: unknown, bytes: unknown): Fields {
  const known = typeof text === "string" ? text : "";
  return {
    token: known,
    logprob: typeof logprob === "number" ? logprob : leastLogprob,
    bytes: Array.isArray(bytes) ? bytes : [...new TextEncoder().encode(known)],
  };
}
