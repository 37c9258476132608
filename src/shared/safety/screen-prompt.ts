import type { Refusal } from "../contracts/refusal.ts";
import type { ChatMessage } from "../prompt/chat-message.ts";
import { injectionBudgetCharacters, looksForInjection } from "./injection/injection-policy.ts";
import { type InjectionFinding, screenInjection } from "./injection/screen-injection.ts";
import { applyMasks } from "./masks.ts";
import { mapTexts } from "./message-texts.ts";
import type { Category } from "./moderation/categories.ts";
import {
  moderatePrompt,
  moderationBudgetCharacters,
  type PromptVerdict,
} from "./moderation/moderate-prompt.ts";
import {
  type BeforeJudged,
  type JudgedMessage,
  type Moderator,
  unjudgeable,
} from "./moderation/moderator.ts";
import { resolvePolicy, type SafetyPolicy } from "./safety-policy.ts";
import { screenBesideFiles } from "./screen-files.ts";
import { screen } from "./screen.ts";
import type { Span } from "./span.ts";

/**
 * May this prompt go to the model, and in which form? `injection ▸ patterns ▸ moderation`, each of what the one before leaves. All run in
 * process, unless the tenant names a guard model. Patterns cost about 10 ns a character, and production clocks stand still while they run,
 * so their budget is a number of characters: about 40 ms.
 */
const screenBudgetCharacters = 4_000_000;

export interface ScreenDeps {
  /** Called for every attack on the instructions that was found, for the metrics. */
  readonly onInjection?: (finding: InjectionFinding) => void;
  /** The model that the tenant's moderation names. */
  readonly moderator?: Moderator;
}

/** A span and the index of its text among all texts of the prompt. */
export interface PatternFinding {
  readonly text: number;
  readonly span: Span;
}

/** The prompt passed unscreened: the budget ran out and the policy is open. */
export interface UnscreenedFinding {
  readonly span: { readonly kind: "unscreened"; readonly action: "flag" };
}

export type Finding = PatternFinding | InjectionFinding | UnscreenedFinding;

export type ScreenedPrompt<M> =
  | {
      readonly kind: "passed";
      readonly messages: readonly M[];
      readonly findings: readonly Finding[];
      /** The budget ran out and the policy is open. The findings record it as well. */
      readonly unscreened: boolean;
      /** Harm that was found but let through, by category; absent: none. */
      readonly harm?: ReadonlyMap<Category | "unmoderated", number>;
    }
  | {
      readonly kind: "refused";
      /**
       * `value-invalid`: more text than can be screened in time; it names no field yet. `BeforeJudged`: the request is refused in any case,
       * so no guard model is asked.
       */
      readonly refusal:
        | Extract<Refusal, { kind: "content-refused" | "dependency-unavailable" | "value-invalid" }>
        | BeforeJudged;
      readonly findings: readonly Finding[];
      /** The refused message, if a single one is to blame. */
      readonly message?: number;
    };

/** The policy looks for nothing: every prompt passes unchanged. */
export function isUnscreened(policy: SafetyPolicy): boolean {
  return (
    resolvePolicy(policy.input).isOff && !looksForInjection(policy.injection) && !moderatesPrompts(policy)
  );
}

export function screenPrompt<M extends ChatMessage>(
  messages: readonly M[],
  policy: SafetyPolicy,
  deps: ScreenDeps,
): ScreenedPrompt<M> | Promise<ScreenedPrompt<M>> {
  return screenBesideFiles(messages, (said) => screenMessages(said, policy, deps));
}

function screenMessages<M extends ChatMessage>(
  messages: readonly M[],
  policy: SafetyPolicy,
  deps: ScreenDeps,
): ScreenedPrompt<M> | Promise<ScreenedPrompt<M>> {
  if (!looksForInjection(policy.injection)) return screenRest(messages, policy, deps);
  const injections = screenInjection(messages, policy.injection);
  const { findings, isSlow, isUnsafe } = injections;
  for (const finding of findings) deps.onInjection?.(finding);
  const blocked = findings.find(({ span }) => span.action === "block");
  if (blocked !== undefined)
    return {
      kind: "refused",
      refusal: { kind: "content-refused", categories: ["injection"] },
      findings,
      message: blocked.message,
    };
  if (isUnsafe && policy.injection.when_slow === "closed")
    return tooLong(injectionBudgetCharacters, findings);
  const screened = screenRest(injections.messages, policy, deps);
  const both = (patterns: ScreenedPrompt<M>): ScreenedPrompt<M> => ({
    ...patterns,
    ...(patterns.kind === "passed" && { unscreened: patterns.unscreened || isSlow }),
    findings: [...findings, ...(isSlow ? [unscreened] : []), ...patterns.findings],
  });
  return screened instanceof Promise ? screened.then(both) : both(screened);
}

const unscreened: UnscreenedFinding = { span: { kind: "unscreened", action: "flag" } };

/** Patterns, then moderation of the masked text. */
function screenRest<M extends ChatMessage>(
  messages: readonly M[],
  policy: SafetyPolicy,
  deps: ScreenDeps,
): ScreenedPrompt<M> | Promise<ScreenedPrompt<M>> {
  const screened = screenPatterns(messages, policy);
  return moderatesPrompts(policy) ? moderate(screened, policy, deps) : screened;
}

function moderatesPrompts({ moderation }: SafetyPolicy): boolean {
  return moderation !== undefined && moderation.input !== "off";
}

/** Moderates the masked prompt, which the model would read. */
function moderate<M extends ChatMessage>(
  screened: ScreenedPrompt<M>,
  policy: SafetyPolicy,
  deps: ScreenDeps,
): ScreenedPrompt<M> | Promise<ScreenedPrompt<M>> {
  const { moderation } = policy;
  if (screened.kind === "refused" || moderation === undefined) return screened;
  const texts: string[] = [];
  const said: JudgedMessage[] = [];
  for (const message of screened.messages) {
    const parts: string[] = [];
    mapTexts([message], (text) => {
      parts.push(text);
      return text;
    });
    // A message is read as a whole, so that splitting text over its parts hides nothing.
    const content = parts.join(" ");
    texts.push(content);
    if (message.role === "user" || message.role === "assistant") said.push({ role: message.role, content });
  }
  const judging = moderatePrompt({ texts, said }, moderation, deps.moderator);
  const concluded = (verdict: PromptVerdict): ScreenedPrompt<M> => {
    const { categories, slow: isSlow, isUnreadable, refused } = verdict;
    if (refused !== undefined) return { kind: "refused", refusal: refused, findings: screened.findings };
    // Also under an open policy: that is for a guard that is late or down, and no text may cause it.
    const found = isUnreadable === true ? [unjudgeable] : categories;
    if (found.length > 0 && moderation.input === "block")
      return {
        kind: "refused",
        refusal: { kind: "content-refused", categories: found },
        findings: screened.findings,
      };
    // Under `flag` neither a verdict nor a missing one changes anything.
    if (isSlow && moderation.input === "block" && moderation.when_slow === "closed") {
      const characters = texts.reduce((sum, text) => sum + text.length, 0);
      return characters > moderationBudgetCharacters
        ? tooLong(moderationBudgetCharacters, screened.findings)
        : noVerdict(screened.findings);
    }
    const harm = new Map<Category | "unmoderated", number>(categories.map((category) => [category, 1]));
    if (isSlow) harm.set("unmoderated", 1);
    return { ...screened, harm };
  };
  return judging instanceof Promise ? (async () => concluded(await judging))() : concluded(judging);
}

function screenPatterns<M extends ChatMessage>(
  messages: readonly M[],
  policy: SafetyPolicy,
): ScreenedPrompt<M> {
  const input = resolvePolicy(policy.input);
  if (input.isOff) return { kind: "passed", messages, findings: [], unscreened: false };
  const found: (readonly Span[])[] = [];
  let characters = 0;
  mapTexts(messages, (text, isJson) => {
    characters += text.length;
    found.push(characters > screenBudgetCharacters ? [] : screen(text, input, isJson).spans);
    return text;
  });
  if (characters <= screenBudgetCharacters) return conclude(messages, found);
  if (input.withholds && policy.when_slow === "closed") return tooLong(screenBudgetCharacters, []);
  // The texts that fit are screened.
  const concluded = conclude(messages, found);
  return concluded.kind === "passed" ? letThrough(concluded.messages, concluded.findings) : concluded;
}

function isBlocked(found: readonly (readonly Span[])[]): boolean {
  return found.some((spans) => spans.some((span) => span.action === "block"));
}

function conclude<M extends ChatMessage>(
  messages: readonly M[],
  found: readonly (readonly Span[])[],
): ScreenedPrompt<M> {
  const findings = found.flatMap((spans, text) => spans.map((span) => ({ text, span })));
  if (isBlocked(found)) {
    const blocking = findings.filter(({ span }) => span.action === "block").map(({ span }) => span.kind);
    return {
      kind: "refused",
      refusal: { kind: "content-refused", categories: [...new Set(blocking)] },
      findings,
    };
  }
  if (!findings.some(({ span }) => span.action === "mask"))
    return { kind: "passed", messages, findings, unscreened: false };
  let index = -1;
  const masked = mapTexts(messages, (text, isJson) => {
    index += 1;
    return applyMasks(text, found[index] ?? [], isJson);
  });
  return { kind: "passed", messages: masked, findings, unscreened: false };
}

function letThrough<M>(messages: readonly M[], findings: readonly Finding[]): ScreenedPrompt<M> {
  return { kind: "passed", messages, findings: [...findings, unscreened], unscreened: true };
}

type RefusedPrompt = Extract<ScreenedPrompt<never>, { kind: "refused" }>;

/** A guard model was late or failed; it may work the next time. */
function noVerdict(findings: readonly Finding[]): RefusedPrompt {
  return {
    kind: "refused",
    refusal: {
      kind: "dependency-unavailable",
      component: "safety",
      retryAfterMs: 1_000,
      detail: "the screen was over its budget",
    },
    findings,
  };
}

/** The text would be too long the next time, too: clients must not retry. */
function tooLong(mostCharacters: number, findings: readonly Finding[]): RefusedPrompt {
  const message = `is too long to be screened, of which no more than ${mostCharacters} characters are`;
  return { kind: "refused", refusal: { kind: "value-invalid", param: null, message }, findings };
}
