import type { TextFilter, TextLane } from "../stream/text-filter.ts";
import { AnswerLinks } from "./links/answer-links.ts";
import type { LinkSpan } from "./links/link-guard.ts";
import type { LinksPolicy } from "./links/links-policy.ts";
import { AnswerModeration } from "./moderation/answer-moderation.ts";
import type { Category } from "./moderation/categories.ts";
import { mostJudgedCharacters } from "./moderation/moderator.ts";
import type { ModerationPolicy } from "./moderation/moderation-policy.ts";
import { PassedText } from "./passed-text.ts";
import { resolvePolicy, type ResolvedPolicy, type SafetyPolicy } from "./safety-policy.ts";
import { type SafetyAction, safetyActions, type Span } from "./span.ts";
import { StreamGuard } from "./stream-guard.ts";

/** A span and the run of the answer's text that it lies in. */
export interface AnswerFinding {
  readonly lane: TextLane;
  readonly span: Span | LinkSpan;
}

export interface GuardedAnswer {
  /** The request asks for a format or a grammar. Arguments of tool calls are always JSON. */
  readonly contentIsJson: boolean;
}

/** What the guard looks for besides patterns; `null`: nothing. */
export interface AnswerPolicies {
  readonly links: LinksPolicy | null;
  readonly moderation: ModerationPolicy | null;
}

/** An answer that continues at another engine has one choice, and nothing but content so far. */
const goesOnLane: TextLane = "0/content";

/** Further findings are only counted: an answer may contain a list of a million addresses. */
const mostFindings = 200;

/**
 * The guard in the pass over an answer (src/shared/stream): a separate scan for each lane, one verdict for all. Its
 * findings are for the log: kinds, places and actions, never the text.
 */
export class AnswerGuard implements TextFilter {
  /** True under policies that only flag. */
  readonly changesNothing: boolean;
  readonly findings: AnswerFinding[] = [];
  readonly #policy: ResolvedPolicy;
  readonly #contentIsJson: boolean;
  readonly #guards = new Map<TextLane, StreamGuard>();
  /** `null`: links may lead anywhere. */
  readonly #links: AnswerLinks | null;
  /** `null`: the tenant does not moderate answers. */
  readonly #moderation: ModerationPolicy | null;
  readonly #moderated = new Map<TextLane, AnswerModeration>();
  readonly #harm = new Map<Category, number>();
  /** The text of the only choice, if the answer may continue elsewhere, as it passes the stages that change it. */
  #passed = nothingPassed();
  /** The end of each choice's text. */
  readonly #said = new Map<TextLane, string>();
  #found = 0;
  #strongest = 0;

  constructor(
    policy: ResolvedPolicy,
    { contentIsJson }: GuardedAnswer,
    { links, moderation }: AnswerPolicies = { links: null, moderation: null },
  ) {
    this.changesNothing = !policy.withholds && links?.action !== "remove" && moderation?.output !== "block";
    this.#policy = policy;
    this.#contentIsJson = contentIsJson;
    this.#links = links === null ? null : new AnswerLinks(links, (lane, spans) => this.#note(lane, spans));
    this.#moderation = moderation;
  }

  /** The strongest action taken. After `mask` or `block` the answer differs from what the model said. */
  get action(): SafetyAction {
    return safetyActions[this.#strongest] ?? "off";
  }

  /** Number of spans found. */
  get found(): number {
    return this.#found;
  }

  /** The end of the answer as it was sent, if a guard model is to judge it; else `null`. Several choices are joined, with an equal share of each. */
  get said(): string | null {
    if (this.#moderation === null || this.#moderation.model === null) return null;
    const most = Math.floor(mostJudgedCharacters / Math.max(1, this.#said.size));
    return Array.from(this.#said.values(), (text) => text.slice(-most)).join("\n");
  }

  /** How many blocks of text had harm of each category. */
  get harm(): ReadonlyMap<Category, number> {
    return this.#harm;
  }

  push(lane: TextLane, text: string): string | null {
    const seen = this.#policy.isOff ? text : this.#push(lane, text);
    const kept = seen === null || !this.#readsLinks(lane) ? seen : (this.#links?.push(lane, seen) ?? seen);
    if (lane === goesOnLane && seen !== null && kept !== null && !this.changesNothing) {
      this.#passed.patterns.note(text.length, seen.length, this.#guards.get(lane)?.held ?? 0);
      this.#passed.links.note(seen.length, kept.length, this.#links?.held(lane) ?? 0);
    }
    if (kept === null || this.#moderation === null || isWord(lane)) return kept;
    return this.#spoken(lane, this.#moderationOf(lane, this.#moderation).push(kept));
  }

  held(lane: TextLane): number {
    if (lane !== goesOnLane || this.changesNothing) return 0;
    const { patterns, links } = this.#passed;
    return patterns.heldBack(links.heldBack(this.#moderated.get(lane)?.held ?? 0));
  }

  flush(lane: TextLane): string | null {
    const held = this.#policy.isOff ? "" : this.#flush(lane);
    const kept = held === null || !this.#readsLinks(lane) ? held : (this.#links?.flush(lane, held) ?? held);
    if (lane === goesOnLane) this.#passed = nothingPassed();
    if (kept === null || this.#moderation === null || isWord(lane)) return kept;
    const moderation = this.#moderationOf(lane, this.#moderation);
    this.#moderated.delete(lane);
    const first = moderation.push(kept);
    const last = first === null ? null : moderation.flush();
    return first === null || last === null ? null : this.#spoken(lane, first + last);
  }

  #push(lane: TextLane, text: string): string | null {
    let guard = this.#guards.get(lane);
    if (guard === undefined) {
      guard = new StreamGuard(this.#policy, this.#isJson(lane));
      this.#guards.set(lane, guard);
    }
    const step = guard.push(text);
    if (step.spans.length > 0) this.#note(lane, step.spans);
    return step.blocked ? null : step.release;
  }

  #flush(lane: TextLane): string | null {
    const guard = this.#guards.get(lane);
    if (guard === undefined) return "";
    this.#guards.delete(lane);
    const step = guard.flush();
    if (step.spans.length > 0) this.#note(lane, step.spans);
    return step.blocked ? null : step.release;
  }

  /** Reasoning and refusals are prose, whatever the answer's format. */
  #isJson(lane: TextLane): boolean {
    return (lane.includes("/call/") && !isWord(lane)) || (this.#contentIsJson && lane.endsWith("/content"));
  }

  /** Neither JSON nor any part of a tool call is Markdown. */
  #readsLinks(lane: TextLane): boolean {
    return this.#links !== null && !lane.includes("/call/") && !this.#isJson(lane);
  }

  #spoken(lane: TextLane, text: string | null): string | null {
    if (
      text !== null &&
      this.#moderation !== null &&
      this.#moderation.model !== null &&
      lane.endsWith("/content")
    ) {
      const said = (this.#said.get(lane) ?? "") + text;
      // Cut seldom: a cut at every token would copy the whole text each time.
      this.#said.set(lane, said.length < 2 * mostJudgedCharacters ? said : said.slice(-mostJudgedCharacters));
    }
    return text;
  }

  #moderationOf(lane: TextLane, policy: ModerationPolicy): AnswerModeration {
    const known = this.#moderated.get(lane);
    if (known !== undefined) return known;
    const made = new AnswerModeration(policy, this.#isJson(lane), (found) => this.#noteHarm(found));
    this.#moderated.set(lane, made);
    return made;
  }

  #noteHarm(found: readonly Category[]): void {
    const action = this.#moderation?.output ?? "off";
    this.#strongest = Math.max(this.#strongest, safetyActions.indexOf(action));
    for (const category of found) this.#harm.set(category, (this.#harm.get(category) ?? 0) + 1);
  }

  #note(lane: TextLane, spans: readonly (Span | LinkSpan)[]): void {
    for (const span of spans) {
      this.#found += 1;
      this.#strongest = Math.max(this.#strongest, safetyActions.indexOf(span.action));
      if (this.findings.length < mostFindings) this.findings.push({ lane, span });
    }
  }
}

function nothingPassed() {
  return { patterns: new PassedText(), links: new PassedText() };
}

/** Tool names are nearly always the client's own, so they are not judged as words. */
function isWord(lane: TextLane): boolean {
  return lane.endsWith("/name") || lane.endsWith("/id");
}

/** Undefined if the tenant's policy looks for nothing: the pass then has no filter at all. */
export function createAnswerGuard(policy: SafetyPolicy, answer: GuardedAnswer): AnswerGuard | undefined {
  return guardsAnswers(policy)
    ? new AnswerGuard(resolvePolicy(policy.output), answer, policiesOf(policy))
    : undefined;
}

export function guardsAnswers(policy: SafetyPolicy): boolean {
  const { links, moderation } = policiesOf(policy);
  return !resolvePolicy(policy.output).isOff || links !== null || moderation !== null;
}

/** A turn stored by older code has neither. */
function policiesOf(policy: SafetyPolicy): AnswerPolicies {
  const { links, moderation } = policy as Partial<SafetyPolicy>;
  return {
    links: links === undefined || links.action === "off" ? null : links,
    moderation: moderation === undefined || moderation.output === "off" ? null : moderation,
  };
}
