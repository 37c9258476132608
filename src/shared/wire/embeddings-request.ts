/** Is this body a request for embeddings (`POST /v1/embeddings`), and which part of it does the engine get? */
import * as z from "zod";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { type FieldTable, parseFields } from "./field-reader.ts";
import { shortened } from "./json-bounds.ts";
import { lazyShape, makersOf } from "./lazy-shape.ts";
import { requestLimits } from "./request-limits.ts";
import { modelName } from "./sampling-shape.ts";
import { mostTokenId, nullish, text, tokenId } from "./schema-parts.ts";
import { invalidValue, paramOf, refusalOfIssues } from "./zod-refusal.ts";

/** OpenAI: an input can't be empty. */
const inputText = z.lazy(() => text().min(1));
const inputTokens = z.lazy(() => z.array(tokenId).min(1).max(requestLimits.inputTokenIds));

const embeddingShape = lazyShape({
  model: () => modelName,
  input: () =>
    z.union([
      inputText,
      z.array(inputText).min(1).max(requestLimits.inputs),
      inputTokens,
      z.array(inputTokens).min(1).max(requestLimits.inputs),
    ]),
  dimensions: () => z.int().min(1).max(65_536),
  encoding_format: () => z.enum(["float", "base64"]),
  user: () => z.string().max(1024),
});

export type EmbeddingRequest = {
  readonly model: string;
  readonly input: z.output<typeof embeddingShape.input>;
  readonly dimensions?: number;
  readonly encoding_format?: "float" | "base64";
  readonly user?: string;
};

/** The same as one schema, for the documentation. */
export const embeddingRequestSchema = z.lazy(() => {
  const { model, input, ...optional } = embeddingShape;
  return z.strictObject({ model, input, ...nullish(optional) });
});

const table: FieldTable = {
  schemas: makersOf(embeddingShape),
  refused: new Map(
    [
      "truncate_prompt_tokens",
      "truncation_side",
      "cache_salt",
      "priority",
      "request_id",
      "add_special_tokens",
    ].map((field) => [field, { origin: "vLLM", message: "is not taken from clients" }] as const),
  ),
  required: ["model", "input"],
  readers: new Map([["input", readInput]]),
};

/** There may be many token ids, and a schema would first try them as texts and make an issue of each. */
function readInput(given: unknown): Result<unknown, Refusal> {
  if (Array.isArray(given)) {
    const [first] = given as readonly unknown[];
    if (typeof first === "number") return readTokens(given, ["input"]);
    if (Array.isArray(first) && given.length <= requestLimits.inputs) return readTokenLists(given);
  }
  const parsed = embeddingShape.input.safeParse(shortened(given));
  return parsed.success ? ok(parsed.data) : err(refusalOfIssues(parsed.error.issues, ["input"], given));
}

function readTokenLists(given: readonly unknown[]): Result<unknown, Refusal> {
  for (const [at, list] of given.entries()) {
    const path = ["input", at];
    if (!Array.isArray(list)) return err(invalidValue(paramOf(path), "must be an array"));
    const read = readTokens(list, path);
    if (!read.ok) return read;
  }
  return ok(given);
}

function readTokens(given: readonly unknown[], path: readonly PropertyKey[]): Result<unknown, Refusal> {
  const most = requestLimits.inputTokenIds;
  if (given.length === 0) return err(invalidValue(paramOf(path), "must have at least 1 item"));
  if (given.length > most) return err(invalidValue(paramOf(path), `must have at most ${most} items`));
  for (const [at, token] of given.entries()) {
    if (Number.isInteger(token) && Number(token) >= 0 && Number(token) <= mostTokenId) continue;
    const parsed = tokenId.safeParse(token);
    if (!parsed.success) return err(refusalOfIssues(parsed.error.issues, [...path, at], token));
  }
  return ok(given);
}

export const embeddingFields = { taken: [...table.schemas.keys()], refused: [...table.refused.keys()] };

/** Refusals: `json-invalid`, `value-invalid`, `parameter-unknown`, `parameter-unsupported`. */
export function parseEmbeddingRequest(body: string): Result<EmbeddingRequest, Refusal> {
  const read = parseFields(body, table);
  // Each field was checked by its own schema, which TypeScript can't follow through a map.
  return read.ok ? ok(read.value as unknown as EmbeddingRequest) : read;
}

/** The JSON body for an engine's `/v1/embeddings`. */
export function buildEngineEmbeddingBody(request: EmbeddingRequest, servedName: string): string {
  const { user: _, ...passed } = request;
  return JSON.stringify({ ...passed, model: servedName });
}
