/** The link guard for the lanes of an answer that are read as Markdown: content, reasoning and refusals, not JSON or tool calls. */
import type { TextLane } from "../../stream/text-filter.ts";
import { LinkGuard, type LinkSpan } from "./link-guard.ts";
import type { LinksPolicy } from "./links-policy.ts";

export class AnswerLinks {
  readonly #policy: LinksPolicy;
  readonly #guards = new Map<TextLane, LinkGuard>();
  readonly #onFound: (lane: TextLane, spans: readonly LinkSpan[]) => void;

  constructor(policy: LinksPolicy, onFound: (lane: TextLane, spans: readonly LinkSpan[]) => void) {
    this.#policy = policy;
    this.#onFound = onFound;
  }

  push(lane: TextLane, text: string): string {
    let guard = this.#guards.get(lane);
    if (guard === undefined) {
      guard = new LinkGuard(this.#policy);
      this.#guards.set(lane, guard);
    }
    const { release, spans } = guard.push(text);
    if (spans.length > 0) this.#onFound(lane, spans);
    return release;
  }

  /** Characters of this lane that are neither sent nor removed yet. */
  held(lane: TextLane): number {
    return this.#guards.get(lane)?.held ?? 0;
  }

  /** Ends the lane, with this as its last text. */
  flush(lane: TextLane, last: string): string {
    const begun = this.push(lane, last);
    const step = this.#guards.get(lane)?.flush();
    this.#guards.delete(lane);
    if (step === undefined) return begun;
    if (step.spans.length > 0) this.#onFound(lane, step.spans);
    return begun + step.release;
  }
}
