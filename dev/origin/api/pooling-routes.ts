import { randomUUID } from "node:crypto";
import * as z from "zod";
import type { ServedModel } from "../catalog.ts";
import { badRequest, invalid } from "../engine/refusal.ts";
import { tokenizerOf } from "../engine/tokenizer.ts";
import { meaningfulWords, numberFrom, overlap } from "../model/words.ts";
import type { Exchange } from "../server/exchange.ts";
import { sendWhole } from "../server/whole-answer.ts";
import { findModel, parse } from "./generation-routes.ts";

/** The routes `/v1/embeddings` and `/v1/rerank`, with lexical stand-ins: texts that share words are close to each other. */
export interface PoolingDeps {
  readonly models: ReadonlyMap<string, ServedModel>;
}

const dimensions = 384;
const ids = z.array(z.int());
const embeddingSchema = z.looseObject({
  model: z.string(),
  input: z.union([z.string(), z.array(z.string()), ids, z.array(ids)]),
  encoding_format: z.enum(["float", "base64"]).nullish(),
  dimensions: z.int().nullish(),
  truncate_prompt_tokens: z.int().nullish(),
});

export function embeddings(exchange: Exchange, body: unknown, deps: PoolingDeps): void {
  const request = parse(embeddingSchema, body);
  if (!request.ok) return exchange.refuse(request.error);
  const found = findModel(request.value.model, deps.models);
  if (!found.ok) return exchange.refuse(found.error);
  const model = found.value;
  if (!model.capabilities.has("embeddings"))
    return exchange.refuse(badRequest("The model does not support Embeddings API").error);
  const { input, dimensions: wanted } = request.value;
  if (wanted != null && wanted !== dimensions)
    return exchange.refuse(
      badRequest(
        `Model "${model.name}" does not support matryoshka representation, changing output dimensions will lead to poor results.`,
        "dimensions",
      ).error,
    );
  if (input.length === 0) return exchange.refuse(invalid("input must not be empty", "input").error);
  const tokenizer = tokenizerOf(model.family);
  const list = typeof input === "string" || typeof input[0] === "number" ? [input] : input;
  const data: unknown[] = [];
  let tokens = 0;
  for (const [index, one] of (list as readonly (string | number[])[]).entries()) {
    const text = typeof one === "string" ? one : tokenizer.decode(one);
    if (text === undefined)
      return exchange.refuse(badRequest("Token id is out of vocabulary", "input").error);
    const count = tokenizer.encode(text).ids.length + 2;
    const refused = tooLong(model, count);
    if (refused !== undefined && request.value.truncate_prompt_tokens == null)
      return exchange.refuse(refused.error);
    tokens += Math.min(count, model.contextWindow);
    data.push({
      index,
      object: "embedding",
      embedding: encoded(vectorOf(text), request.value.encoding_format),
    });
  }
  if (exchange.record !== undefined) exchange.record.prompt_tokens = tokens;
  sendWhole(
    exchange,
    JSON.stringify({
      id: `embd-${randomUUID().replaceAll("-", "")}`,
      object: "list",
      created: Math.floor(Date.now() / 1000),
      model: model.name,
      data,
      usage: {
        prompt_tokens: tokens,
        total_tokens: tokens,
        completion_tokens: 0,
        prompt_tokens_details: null,
      },
    }),
  );
}

const documentSchema = z.union([z.string(), z.looseObject({ text: z.string() })]);
const rerankSchema = z.looseObject({
  model: z.string(),
  query: z.string(),
  documents: z.array(documentSchema).min(1),
  top_n: z.int().nullish(),
});

export function rerank(exchange: Exchange, body: unknown, deps: PoolingDeps): void {
  const request = parse(rerankSchema, body);
  if (!request.ok) return exchange.refuse(request.error);
  const found = findModel(request.value.model, deps.models);
  if (!found.ok) return exchange.refuse(found.error);
  const model = found.value;
  if (!model.capabilities.has("rerank"))
    return exchange.refuse(badRequest("The model does not support Rerank (Score) API").error);
  const { query, documents, top_n: top } = request.value;
  const tokenizer = tokenizerOf(model.family);
  const asked = meaningfulWords(query);
  const queryTokens = tokenizer.encode(query).ids.length;
  let tokens = 0;
  const results = [];
  for (const [index, document] of documents.entries()) {
    const text = typeof document === "string" ? document : document.text;
    const count = queryTokens + tokenizer.encode(text).ids.length + 4;
    const refused = tooLong(model, count);
    if (refused !== undefined) return exchange.refuse(refused.error);
    tokens += count;
    results.push({ index, document: { text }, relevance_score: relevance(asked, text) });
  }
  results.sort((left, right) => right.relevance_score - left.relevance_score);
  if (exchange.record !== undefined) exchange.record.prompt_tokens = tokens;
  sendWhole(
    exchange,
    JSON.stringify({
      id: `rerank-${randomUUID().replaceAll("-", "")}`,
      model: model.name,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
      results: typeof top === "number" && top > 0 ? results.slice(0, top) : results,
    }),
  );
}

/** The share of the query's words in the text, slightly favouring shorter texts; in (0, 1). */
function relevance(asked: ReadonlySet<string>, text: string): number {
  const words = meaningfulWords(text);
  const shared = overlap(asked, words);
  return (shared + 0.01 / (1 + words.size)) / (asked.size + 1);
}

/** Words and their three-letter parts, hashed into dimensions with a sign, normalised to length 1. */
function vectorOf(text: string): Float32Array {
  const vector = new Float32Array(dimensions);
  const add = (feature: string, weight: number) => {
    const hash = numberFrom(feature);
    const at = hash % dimensions;
    vector[at] = (vector[at] ?? 0) + ((hash >>> 16) & 1 ? weight : -weight);
  };
  for (const word of meaningfulWords(text)) {
    add(word, 1);
    for (let at = 0; at + 3 <= word.length; at++) add(`#${word.slice(at, at + 3)}`, 0.3);
  }
  let length = Math.hypot(...vector);
  if (length === 0) {
    vector[0] = 1;
    length = 1;
  }
  return vector.map((value) => value / length);
}

function encoded(vector: Float32Array, format: "float" | "base64" | null | undefined): unknown {
  return format === "base64" ? Buffer.from(vector.buffer).toString("base64") : [...vector];
}

function tooLong(model: ServedModel, tokens: number) {
  if (tokens <= model.contextWindow) return undefined;
  return badRequest(
    `This model's maximum context length is ${model.contextWindow} tokens. However, you requested ${tokens} tokens in the ` +
      "input for embedding generation. Please reduce the length of the input.",
  );
}
