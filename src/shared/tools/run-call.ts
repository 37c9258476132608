/** One call of a tool: arguments checked, time and size bounded, and every failure reported in our own words. */
import { Validator } from "@cfworker/json-schema";
import { err, ok, type Result } from "../contracts/result.ts";
import { isRecord } from "../wire/is-record.ts";
import { withoutSlowFormats } from "./argument-schema.ts";
import { hasTooManyToCompare } from "./repeated-items.ts";
import type { JsonObject } from "../wire/json-bounds.ts";
import type { ServerTool, ToolFault, ToolOutput } from "./server-tool.ts";

export interface CallDeps {
  /** Calls `fire` once after `ms`, unless the returned function is called before. */
  readonly timer: (ms: number, fire: () => void) => () => void;
  /** A fault of ours, for the log: never what was asked or answered. */
  readonly report: (tool: string, detail: string) => void;
}

/** Of a call's arguments, as the model wrote them. */
const maxArgumentCharacters = 32_768;

/** Never rejects. @param signal fires when the turn ends */
export async function runCall(
  tool: ServerTool,
  argumentsText: string,
  signal: AbortSignal,
  deps: CallDeps,
): Promise<Result<ToolOutput, ToolFault>> {
  const own = new AbortController();
  const onAbort = (): void => own.abort();
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) own.abort();
  const late = Promise.withResolvers<Result<ToolOutput, ToolFault>>();
  const cancelTimer = deps.timer(tool.timeoutMs, () => {
    own.abort();
    late.resolve(err({ kind: "timeout" }));
  });
  try {
    const args = checkedArguments(tool.parameters, argumentsText);
    if (!args.ok) return err({ kind: "arguments-invalid", detail: args.error });
    // A tool that ignores its signal is not waited for either.
    return await Promise.race([tool.run(args.value, { signal: own.signal }), late.promise]);
  } catch (error) {
    deps.report(tool.name, error instanceof Error ? error.name : "not an Error");
    return err({ kind: "unavailable", detail: "it failed" });
  } finally {
    cancelTimer();
    signal.removeEventListener("abort", onAbort);
  }
}

/** The error says what the model can correct. It names places in the arguments, never their values. */
function checkedArguments(schema: JsonObject, text: string): Result<JsonObject, string> {
  if (text.length > maxArgumentCharacters)
    return err(`they are longer than ${maxArgumentCharacters} characters`);
  let value: unknown;
  try {
    value = text.trim() === "" ? {} : JSON.parse(text);
  } catch {
    return err("they are no JSON");
  }
  if (!isRecord(value)) return err("they are no JSON object");
  if (hasTooManyToCompare(schema, value))
    return err("their lists are too long to be looked through for items that repeat");
  const checked = new Validator(withoutSlowFormats(schema) as JsonObject, "2020-12", true).validate(value);
  if (checked.valid) return ok(value);
  const fault = checked.errors.at(-1);
  const place = fault?.instanceLocation.slice(0, 128) ?? "#";
  return err(`at ${place} they do not follow the schema (${fault?.keyword ?? "schema"})`);
}

/** The part of a result that the model reads, with a note where it was cut. */
export function cutTo(text: string, maxCharacters: number): string {
  const whole = text.toWellFormed();
  if (whole.length <= maxCharacters) return whole;
  const note = `\n[cut: ${whole.length} characters in all]`;
  return whole.slice(0, Math.max(0, maxCharacters - note.length)).toWellFormed() + note;
}
