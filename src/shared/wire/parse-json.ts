/** Parses a body's text as JSON: the first step of every parser here, with a single refusal. */
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";

export function parseJson(text: string): Result<unknown, Refusal> {
  try {
    return ok(JSON.parse(text));
  } catch {
    return err(text.trim() === "" ? { kind: "json-invalid", isEmpty: true } : { kind: "json-invalid" });
  }
}
