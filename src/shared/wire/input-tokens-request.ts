/**
 * Is this body a request to count a prompt (`POST /v1/responses/input_tokens`), and which? It accepts the fields of a response that
 * are part of its prompt, as OpenAI's description lists them, and refuses all others.
 */
import * as z from "zod";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { type FieldTable, readFields } from "./field-reader.ts";
import { joinShapes, lazyShape, makersOf } from "./lazy-shape.ts";
import { parseJson } from "./parse-json.ts";
import { refusedResponseFields, responseShape } from "./responses-fields.ts";
import { readSentInput } from "./responses-items.ts";
import { crossFieldFault, kindFault, type SentResponseRequest } from "./responses-request.ts";
import { nullish } from "./schema-parts.ts";

/** Taken from a response's fields, whose schemas are made when they are first read. */
const optional = lazyShape({
  input: () => responseShape.input,
  instructions: () => responseShape.instructions,
  previous_response_id: () => responseShape.previous_response_id,
  conversation: () => responseShape.conversation,
  tools: () => responseShape.tools,
  tool_choice: () => responseShape.tool_choice,
  parallel_tool_calls: () => responseShape.parallel_tool_calls,
  text: () => responseShape.text,
  reasoning: () => responseShape.reasoning,
  truncation: () => responseShape.truncation,
  personality: () =>
    z.string().max(64).meta({ description: "Without effect: models here have no such presets." }),
});

/** The same as one schema, for the documentation. */
export const inputTokensRequestSchema = z.lazy(() =>
  z.strictObject({ model: responseShape.model, ...nullish(optional) }),
);

export const inputTokensFields: readonly string[] = ["model", ...Object.keys(optional)];

const table: FieldTable = {
  schemas: makersOf(joinShapes(lazyShape({ model: () => responseShape.model }), optional)),
  refused: new Map(Object.entries(refusedResponseFields)),
  required: ["model"],
  readers: new Map([["input", readSentInput]]),
};

/** Refusals: `json-invalid`, `value-invalid`, `parameter-unknown`, `parameter-unsupported`. */
export function parseInputTokensRequest(body: string): Result<SentResponseRequest, Refusal> {
  const json = parseJson(body);
  if (!json.ok) return json;
  const kind = kindFault(json.value);
  if (kind !== null) return err(kind);
  const read = readFields(json.value, table);
  if (!read.ok) return read;
  // Each field was checked by its own schema, which TypeScript can't follow through a map.
  const request = { input: [], ...read.value } as unknown as SentResponseRequest;
  const fault = crossFieldFault(request);
  return fault === null ? ok(request) : err(fault);
}
