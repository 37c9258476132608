/** Engines' streams through an answer pass, in pieces, and what its client reads. */
import * as fc from "fast-check";
import type { AnswerPassOptions } from "./answer-options.ts";
import { AnswerPass } from "./answer-pass.ts";

export interface Chunk {
  id: string;
  object: string;
  created: number;
  model: string;
  choices: {
    index: number;
    delta: Record<string, unknown> & { content?: string };
    text?: string;
    finish_reason: string | null;
  }[];
  usage?: unknown;
  error?: { code: string };
}

export const base: AnswerPassOptions = {
  engineApi: "chat",
  format: "openai-chat",
  id: "chatcmpl-ours",
  model: "llama-3.1-8b",
  createdMs: 1_700_000_000_000,
  choices: 1,
  includeUsage: true,
  promptTokens: 11,
  now: () => 5,
};

/** Sends `stream` in pieces that end at `cuts` (bytes). */
export function send(stream: string, cuts: readonly number[], options: Partial<AnswerPassOptions> = {}) {
  const pass = new AnswerPass({ ...base, ...options });
  const bytes = new TextEncoder().encode(stream);
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const to of [...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length]) {
    const written = pass.push(bytes.subarray(from, to));
    if (written !== undefined) parts.push(written);
    from = to;
  }
  if (pass.ended === null) {
    const last = pass.finish("source-ended");
    if (last !== undefined) parts.push(last);
  }
  const text = parts.map((part) => new TextDecoder().decode(part)).join("");
  return { text, pass, totals: pass.totals() };
}

export function events(text: string): string[] {
  return text
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => event.replace(/^data: /, ""));
}

export function chunks(text: string): Chunk[] {
  return events(text)
    .filter((event) => event !== "[DONE]")
    .map((event) => JSON.parse(event) as Chunk);
}

export const contentOf = (text: string, index = 0): string =>
  chunks(text)
    .flatMap((chunk) => chunk.choices)
    .filter((choice) => choice.index === index)
    .map((choice) => choice.delta?.content ?? choice.text ?? "")
    .join("");

export const cuts = fc.array(fc.nat(5000), { maxLength: 60 });
export const nOf = (name: string): number => (name === "twoChoices" ? 2 : 1);
