/** The port to a model that judges texts: which categories of harm are in a user's message, or in the answer to it? */
import type { Refusal } from "../../contracts/refusal.ts";
import type { AdmissionFailure } from "../../limits/admission-failure.ts";
import type { Category, Scores } from "./categories.ts";

/** A guard model's window is small, so a longer text is judged in separate parts. */
export const mostJudgedCharacters = 12_000;

export interface JudgedMessage {
  readonly role: "user" | "assistant";
  readonly content: string;
}

export interface Verdict {
  readonly scores: Scores;
  /** The model's id in the fleet. */
  readonly model: string;
  /** Some judgements gave no verdict, or were late. */
  readonly isPartial?: true;
}

/** The prompt gets no answer in any case, so the model was not asked. */
export interface NotAsked {
  readonly refused: BeforeJudged;
}
/** The caller's limits allow no request now, no model may answer this one, or something that it names does not exist. */
export type BeforeJudged =
  | AdmissionFailure
  | Extract<
      Refusal,
      { kind: "model-unknown" | "object-unknown" | "parameter-unsupported" | "context-too-long" }
    >;

/** The model answered the text instead of judging it (this is reported). A text that achieves that must not count as harmless. */
export interface Unreadable {
  readonly isUnreadable: true;
}
/** Reported instead of a category of harm. */
export const unjudgeable = "unjudgeable";

/** The last message is judged, in the context of those before it. */
export type Judgement = readonly JudgedMessage[];

export interface Moderator {
  /**
   * The worst of these judgements, all requested at once. `null`: some failed (which is reported) or were late, and the others found nothing.
   */
  judge(judgements: readonly Judgement[], budgetMs: number): Promise<Verdict | NotAsked | Unreadable | null>;
  /**
   * The same for a prompt that does not wait for the verdict: findings go to the log and the metrics. Returns at once, and never throws.
   *
   * @param known findings that are already reported elsewhere
   */
  note(judgements: readonly Judgement[], known: readonly Category[]): void;
}
