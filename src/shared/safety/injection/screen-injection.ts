/**
 * The injection screen of a prompt: each message is judged by its author, as the tenant's policy says. What a user says is flagged or
 * refused; what programs supply is flagged, cleaned or refused. Instructions and the model's own messages come from the application and are
 * never judged.
 */
import { type ChatMessage, flattenContent } from "../../prompt/chat-message.ts";
import { broughtTexts, withTexts } from "./brought-texts.ts";
import {
  type InjectionChannel,
  injectionBudgetCharacters,
  type InjectionPolicy,
} from "./injection-policy.ts";
import { judgeText, type Judgement } from "./judge.ts";
import { stripTexts } from "./strip.ts";

export type InjectionAction = "flag" | "strip" | "block";

export interface InjectionFinding {
  /** The index of its message. */
  readonly message: number;
  readonly span: { readonly kind: "injection" | "injection-data"; readonly action: InjectionAction };
}

export interface InjectionScreened<M> {
  /** Cleaned if the policy says `strip`; the same object if nothing was taken out. */
  readonly messages: readonly M[];
  readonly findings: readonly InjectionFinding[];
  /** There was more text than can be judged in time: the last messages were judged, and as much of the earlier ones as fits. */
  readonly isSlow: boolean;
  /** The unjudged text might have been cleaned or refused. Under `flag` it would only have been reported. */
  readonly isUnsafe: boolean;
}

/** Judges text by text, up to a total number of characters. */
class Budget {
  #left = injectionBudgetCharacters;
  #leftToClean = injectionBudgetCharacters;
  isOver = false;

  judge(text: string, channel: InjectionChannel, threshold: number): Judgement | null {
    if (text.length > this.#left) {
      this.isOver = true;
      return null;
    }
    this.#left -= text.length;
    return judgeText(text, channel, threshold);
  }

  /**
   * Judges a text again while findings are taken out of it; the first verdict is known. It has a separate allowance, so that an attack can't
   * use up the budget for the other texts. Without any left, the whole text is removed.
   */
  cleaner(judged: Judgement, threshold: number): (text: string) => Judgement | null {
    let known: Judgement | null = judged;
    return (text) => {
      const first = known;
      known = null;
      if (first !== null) return first;
      this.#leftToClean -= text.length;
      return this.#leftToClean < 0 ? null : judgeText(text, "data", threshold);
    };
  }
}

export function screenInjection<M extends ChatMessage>(
  messages: readonly M[],
  policy: InjectionPolicy,
): InjectionScreened<M> {
  const budget = new Budget();
  const findings: InjectionFinding[] = [];
  let cleaned: M[] | null = null;
  let isUnsafe = false;
  // The last first: they are new, and earlier ones were judged when they were new.
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    const message = messages[at];
    const channel = message === undefined ? null : channelOf(message);
    if (message === undefined || channel === null) continue;
    const action = policy[channel];
    if (action === "off") continue;
    const texts = channel === "user" ? [flattenContent(message.content)] : broughtTexts(message);
    const judgement = budget.judge(texts.join("\n"), channel, policy.threshold);
    if (judgement === null && action !== "flag") isUnsafe = true;
    if (judgement === null || judgement.found.length === 0) continue;
    findings.push({ message: at, span: { kind: kinds[channel], action } });
    if (action !== "strip") continue;
    cleaned ??= [...messages];
    cleaned[at] = withTexts(message, stripTexts(texts, budget.cleaner(judgement, policy.threshold)));
  }
  return { messages: cleaned ?? messages, findings: findings.reverse(), isSlow: budget.isOver, isUnsafe };
}

const kinds = { user: "injection", data: "injection-data" } as const;

/** `null`: the application's own message. */
function channelOf({ role }: ChatMessage): InjectionChannel | null {
  switch (role) {
    case "user":
      return "user";
    case "tool":
    case "function":
      return "data";
    default:
      return null;
  }
}
