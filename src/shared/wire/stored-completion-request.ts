/** The requests about stored chat completions: new metadata for one, and the filter of their list. */
import * as z from "zod";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { shortenedFields } from "./json-bounds.ts";
import { parseJson } from "./parse-json.ts";
import { requestLimits } from "./request-limits.ts";
import { metadataSchema } from "./schema-parts.ts";
import { invalidValue, refusalOfIssues } from "./zod-refusal.ts";

export const completionUpdateSchema = z.lazy(() =>
  z.strictObject({
    metadata: metadataSchema.nullable().meta({
      description: "As they shall be: all of them. Null takes them away.",
    }),
  }),
);

/** Returns the new metadata. */
export function parseCompletionUpdate(body: string): Result<Readonly<Record<string, string>>, Refusal> {
  const json = parseJson(body);
  if (!json.ok) return json;
  const parsed = completionUpdateSchema.safeParse(shortenedFields(json.value));
  return parsed.success
    ? ok(parsed.data.metadata ?? {})
    : err(refusalOfIssues(parsed.error.issues, [], json.value));
}

export interface CompletionFilter {
  /** `null`: any model. */
  readonly model: string | null;
  /** Pairs that a completion must have, all of them. */
  readonly metadata: readonly (readonly [key: string, value: string])[];
}

/** `model=…` and `metadata[key]=value`, as OpenAI's clients write them. Bounded like the metadata itself. */
export function parseCompletionFilter(query: URLSearchParams): Result<CompletionFilter, Refusal> {
  const model = query.get("model");
  if (model !== null && (model === "" || model.length > requestLimits.idCharacters))
    return err(invalidValue("model", `must have 1 to ${requestLimits.idCharacters} characters`));
  const pairs = new Map<string, string>();
  for (const [name, value] of query) {
    if (!/^metadata(?:\[|$)/.test(name)) continue;
    // Some clients write null like this.
    if (name === "metadata" && value === "") continue;
    const key = /^metadata\[([^]*)\]$/.exec(name)?.[1];
    if (key === undefined)
      return err(invalidValue("metadata", "must be written as metadata[key]=value, for each pair"));
    if (pairs.has(key)) return err(invalidValue("metadata", "names one key twice"));
    pairs.set(key, value);
  }
  const metadata = Object.fromEntries(pairs);
  const checked = metadataSchema.safeParse(metadata);
  return checked.success
    ? ok({ model, metadata: [...pairs] })
    : err(refusalOfIssues(checked.error.issues, ["metadata"], metadata));
}
