/** The port to a model that judges texts: which categories of harm are in what somebody said, or in the answer to it? */
import type { AdmissionFailure } from "../../limits/admission-failure.ts";
import type { Category, Scores } from "./categories.ts";

/** A guard model's window is small: of more text each part is judged by itself. */
export const mostJudgedCharacters = 12_000;

export interface JudgedMessage {
  readonly role: "user" | "assistant";
  readonly content: string;
}

export interface Verdict {
  readonly scores: Scores;
  /** The model's id in the fleet. */
  readonly model: string;
  /** Of some of what it was asked there is no verdict, or none in time. */
  readonly isPartial?: true;
}

/** Whoever asks may not ask anything now (their limits): the model was not asked on their behalf. */
export interface NotAsked {
  readonly refused: AdmissionFailure;
}

/** The model read what it was shown and answered it, in place of judging it (reported): what could do that must not pass for harmless. */
export interface Unreadable {
  readonly isUnreadable: true;
}
/** What is told of it, in place of a category of harm. */
export const unjudgeable = "unjudgeable";

/** The last of the messages is judged, in the light of those before. */
export type Judgement = readonly JudgedMessage[];

export interface Moderator {
  /**
   * The worst of these judgements, which are all asked for at once. `null`: of some there is none (the fault is reported), or none in time, and
   * the others found nothing.
   */
  judge(judgements: readonly Judgement[], budgetMs: number): Promise<Verdict | NotAsked | Unreadable | null>;
  /**
   * The same of a prompt that nothing waits for: what is found is for the log and the metrics. Returns at once, and never throws.
   *
   * @param known what was found already, and is told elsewhere
   */
  note(judgements: readonly Judgement[], known: readonly Category[]): void;
}
