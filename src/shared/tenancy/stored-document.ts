/**
 * How is a stored document read that newer code may have written? As strictly as it is checked when written, except that members unknown to
 * this code are left out and reported. A document is written with all fields of the code that wrote it, also unset ones, so without this a
 * roll-back could not read what was written before it.
 */
import type * as z from "zod";
import { err, ok, type Result } from "../contracts/result.ts";

export interface StoredDocument<T> {
  readonly value: T;
  /** Paths of the members that were left out. */
  readonly unknown: readonly string[];
}

export function readStored<T>(schema: z.ZodType<T>, json: unknown): Result<StoredDocument<T>, z.ZodError<T>> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return ok({ value: parsed.data, unknown: [] });
  const known = structuredClone(json);
  const unknown = parsed.error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys" ? without(known, issue.path, issue.keys) : [],
  );
  if (unknown.length === 0) return err(parsed.error);
  const again = schema.safeParse(known);
  return again.success ? ok({ value: again.data, unknown }) : err(again.error);
}

/** Takes the members out, and names them. */
function without(document: unknown, path: readonly PropertyKey[], keys: readonly string[]): string[] {
  let holder = document;
  for (const step of path) holder = (holder as Readonly<Record<PropertyKey, unknown>>)[step];
  for (const key of keys) Reflect.deleteProperty(holder as object, key);
  return keys.map((key) => pathText([...path, key]));
}

export function pathText(path: readonly PropertyKey[]): string {
  let text = "";
  for (const step of path) text += typeof step === "number" ? `[${step}]` : `${text && "."}${String(step)}`;
  return text || "(whole)";
}
