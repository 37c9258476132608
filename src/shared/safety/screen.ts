import { type ResolvedPolicy } from "./safety-policy.ts";
import { type SafetyAction, type Span, strongestAction } from "./span.ts";
import { StreamGuard } from "./stream-guard.ts";

/** What does the guard say of a whole text? The same scan as of a stream, in one piece. */
export interface ScreenedText {
  /** The text as it may go on: masked, or, when blocked, up to what blocked it. */
  readonly text: string;
  readonly spans: readonly Span[];
  readonly action: SafetyAction;
}

/** @param isJson what its escapes mean is scanned; spans lie in the text as it is written all the same */
export function screen(text: string, policy: ResolvedPolicy, isJson = false): ScreenedText {
  if (policy.isOff) return { text, spans: [], action: "off" };
  const guard = new StreamGuard(policy, isJson);
  const first = guard.push(text);
  const last = guard.flush();
  if (first.spans.length === 0 && last.spans.length === 0) return { text, spans: first.spans, action: "off" };
  const spans = [...first.spans, ...last.spans];
  return { text: first.release + last.release, spans, action: strongestAction(spans) };
}
