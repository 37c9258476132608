/** A candidate of a plan refused. May the next one be asked, and what is the client told if none answers? Pure. */
import type { Refusal } from "../contracts/refusal.ts";
import { rejectedField } from "../routing/engines/rejected-field.ts";
import type { OriginFailure } from "../routing/ports.ts";

/** Another model may be up, or have a larger window; a request that an engine calls wrong is not tried elsewhere. */
export function givesWay(failure: OriginFailure): boolean {
  return isForNow(failure) || failure.kind === "context-too-long";
}

/**
 * Of two candidates' refusals, in the order of the plan, the one that the client can best act on. A temporary refusal outweighs what
 * a later model can't do: the first one may answer when it is back.
 */
export function refusalToTell(before: Refusal | null, now: Refusal): Refusal {
  if (before === null || isForNow(now) || now.kind === "client-gone" || now.kind === "limited") return now;
  if (isForNow(before)) return before;
  if (before.kind === "context-too-long" && now.kind === "context-too-long")
    return now.windowTokens > before.windowTokens ? now : before;
  return now.kind === "parameter-unsupported" ? before : now;
}

/** Completed by what the engine left out: which field it calls wrong, how long the prompt is. */
export function named(
  failure: OriginFailure,
  { body, promptTokens }: { readonly body: string; readonly promptTokens: number },
): Refusal {
  if (failure.kind === "context-too-long" && failure.promptTokens === 0)
    return {
      ...failure,
      // By our estimate, which may be below the window.
      promptTokens: Math.max(promptTokens, failure.windowTokens - failure.answerTokens + 1),
    };
  if (failure.kind !== "origin-rejected") return failure;
  const param = rejectedField(failure.detail, fieldsOf(body));
  return param === null ? failure : { ...failure, param };
}

function isForNow({ kind }: Refusal): boolean {
  return kind === "origin-unavailable" || kind === "overloaded";
}

function fieldsOf(body: string): ReadonlySet<string> {
  return new Set(Object.keys(JSON.parse(body) as object));
}
