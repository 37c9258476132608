/** Is this body a request for moderation (`POST /v1/moderations`), and which texts are to be judged? */
import * as z from "zod";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { once } from "../isolate/once.ts";
import { type FieldTable, parseFields } from "./field-reader.ts";
import { shortened } from "./json-bounds.ts";
import { lazyShape, makersOf } from "./lazy-shape.ts";
import { requestLimits } from "./request-limits.ts";
import { modelName } from "./sampling-shape.ts";
import { text } from "./schema-parts.ts";
import { invalidValue, refusalOfIssues } from "./zod-refusal.ts";

/** OpenAI's names for its models: here they all mean the classifier in process. */
const inProcessNames = [
  "omni-moderation-latest",
  "omni-moderation-2024-09-26",
  "text-moderation-latest",
  "text-moderation-stable",
] as const;
/** For a request that names none. */
export const usualModerationModel = inProcessNames[0];
/** The classifier's name in answers: it is not one of OpenAI's models and does not claim to be. */
export const inProcessModel = "edgewise-moderation-1";

const inProcess: ReadonlySet<string> = new Set([...inProcessNames, inProcessModel]);

export function isInProcess(model: string): boolean {
  return inProcess.has(model);
}

/** A text, several texts, or parts. */
const forms = once(() => {
  const textPart = z.strictObject({ type: z.literal("text"), text: text() });
  const imagePart = z.strictObject({
    type: z.literal("image_url"),
    image_url: z.strictObject({ url: z.string().min(1).max(requestLimits.contentCharacters) }),
  });
  const part = z.discriminatedUnion("type", [textPart, imagePart]);
  return z.union([
    text(),
    z.array(text()).min(1).max(requestLimits.moderationInputs),
    z.array(part).min(1).max(requestLimits.moderationInputs),
  ]);
});

const shape = lazyShape({ input: forms, model: () => modelName });

/** For the documentation. */
export const moderationRequestSchema = z.lazy(() =>
  z.strictObject({
    input: shape.input,
    model: shape.model.nullish().meta({
      description:
        "OpenAI's names: the classifier in process. Else a guard model of the fleet or an alias of one.",
    }),
  }),
);

const table: FieldTable = {
  schemas: makersOf(shape),
  refused: new Map(),
  required: ["input"],
  readers: new Map([["input", readInput]]),
};

export const moderationFields = Object.keys(shape);

export interface ModerationRequest {
  readonly model: string;
  /** At least one; each gets a result. */
  readonly inputs: readonly string[];
}

/** A union's issues would mention all its forms; the first element tells which form is meant. */
function readInput(given: unknown): Result<unknown, Refusal> {
  const first = Array.isArray(given) ? (given as readonly unknown[])[0] : undefined;
  const [whole, list, parts] = shape.input.options;
  const schema = !Array.isArray(given) ? whole : typeof first === "object" && first !== null ? parts : list;
  const parsed = schema.safeParse(shortened(given));
  return parsed.success ? ok(parsed.data) : err(refusalOfIssues(parsed.error.issues, ["input"], given));
}

/** Refusals: `json-invalid`, `value-invalid`, `parameter-unknown`. */
export function parseModerationRequest(body: string): Result<ModerationRequest, Refusal> {
  const read = parseFields(body, table);
  if (!read.ok) return read;
  // Each field was checked by its own schema, which TypeScript can't follow through a map.
  const { input, model } = read.value as { input: z.output<typeof shape.input>; model?: string };
  const inputs = textsOf(input);
  if (!inputs.ok) return inputs;
  const characters = inputs.value.reduce((sum, one) => sum + one.length, 0);
  if (characters > requestLimits.moderationCharacters)
    return err(
      invalidValue(
        "input",
        `must have at most ${requestLimits.moderationCharacters} characters in all: send the rest in another request`,
      ),
    );
  return ok({ model: model ?? usualModerationModel, inputs: inputs.value });
}

/** All parts together are one input, as with OpenAI; each string is one. */
function textsOf(input: z.output<typeof shape.input>): Result<readonly string[], Refusal> {
  if (typeof input === "string") return ok([input]);
  const texts: string[] = [];
  for (const one of input) {
    if (typeof one === "string") texts.push(one);
    else if (one.type === "text") texts.push(one.text);
  }
  if (typeof input[0] === "string") return ok(texts);
  return texts.length === 0
    ? err(invalidValue("input", "must hold a text part: images are not classified here"))
    : ok([texts.join("\n")]);
}
