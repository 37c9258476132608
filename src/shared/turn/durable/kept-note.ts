/**
 * What a run keeps for a run that may have to continue in its place. A note (chat-resume.ts) says which engine answers, and what of its rounds no
 * event shows. Beside the journal it keeps what was found in files, and the rounds of an answer whose events show none.
 */
import { type Grounding, writeGrounding } from "../../grounding/ground.ts";
import type { Usage } from "../../contracts/usage.ts";
import { writeNote, type RunNote } from "./run-note.ts";
import { writeKept } from "./kept-rounds.ts";
import type { TurnIo } from "./ports.ts";
import type { Round, RoundsNote } from "./round-history.ts";

export class KeptNote {
  readonly #io: Pick<TurnIo, "remember" | "keep">;
  /** `null`: no engine answers yet. */
  who: Omit<RunNote, "rounds"> | null = null;
  rounds: RoundsNote | null = null;
  /** Passages of files that the turn was given; `null`: none. */
  grounding: Grounding | null = null;

  constructor(io: Pick<TurnIo, "remember" | "keep">) {
    this.#io = io;
  }

  /** Kept with the next row. */
  keep(): void {
    const { who, rounds } = this;
    if (who !== null) this.#io.remember(writeNote(rounds === null ? who : { ...who, rounds }));
  }

  keepGrounding(grounding: Grounding): void {
    this.grounding = grounding;
    this.#io.keep(writeGrounding(grounding));
  }

  /** Stored at once. @param prior the usage of these rounds */
  keepRounds(rounds: readonly Round[], prior: Usage): void {
    this.#io.keep(writeKept(this.grounding, rounds, prior));
  }
}
