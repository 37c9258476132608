import { type ResolvedPolicy } from "./safety-policy.ts";
import { type SafetyAction, type Span, strongestAction } from "./span.ts";
import { StreamGuard } from "./stream-guard.ts";

/** The guard's result for a whole text: the same scan as for a stream, in one piece. */
export interface ScreenedText {
  /** The text that may be used: masked or, if blocked, only the part before the finding. */
  readonly text: string;
  readonly spans: readonly Span[];
  readonly action: SafetyAction;
}

/** @param isJson escapes are scanned by their meaning; spans still refer to the text as written */
export function screen(text: string, policy: ResolvedPolicy, isJson = false): ScreenedText {
  if (policy.isOff) return { text, spans: [], action: "off" };
  const guard = new StreamGuard(policy, isJson);
  const first = guard.push(text);
  const last = guard.flush();
  if (first.spans.length === 0 && last.spans.length === 0) return { text, spans: first.spans, action: "off" };
  const spans = [...first.spans, ...last.spans];
  return { text: first.release + last.release, spans, action: strongestAction(spans) };
}
