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
  /** The message it lies in. */
  readonly message: number;
  readonly span: { readonly kind: "injection" | "injection-data"; readonly action: InjectionAction };
}

export interface InjectionScreened<M> {
  /** Cleaned where the policy is to strip; the same object where nothing was taken out. */
  readonly messages: readonly M[];
  readonly findings: readonly InjectionFinding[];
  /** There was more text than can be judged in time: the last messages are judged, and of those before what fits. */
  readonly isSlow: boolean;
  /** Something hangs on what was not judged: it would have been cleaned or refused, where `flag` would only have told of it. */
  readonly isUnsafe: boolean;
}

/** Judges text by text, up to a number of characters in all. */
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
   * How what was found is taken out: the first verdict is known. What is left of the text is judged by an allowance of its own, since whoever
   * writes attacks must not use up what is to judge everybody else's; without any left the whole text goes.
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
  // The last first: they are new, and those before were judged when they were.
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

/** `null`: it is the application's own. */
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
