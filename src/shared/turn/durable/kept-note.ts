/** The run's note (chat-resume.ts) as it changes: who answers, and what its rounds leave that no event says. */
import { writeNote, type RunNote } from "./chat-resume.ts";
import type { TurnIo } from "./ports.ts";
import type { RoundsNote } from "./round-history.ts";

export class KeptNote {
  readonly #io: Pick<TurnIo, "remember">;
  /** `null`: nobody answers yet. */
  who: Omit<RunNote, "rounds"> | null = null;
  rounds: RoundsNote | null = null;

  constructor(io: Pick<TurnIo, "remember">) {
    this.#io = io;
  }

  /** Kept with the next row. */
  keep(): void {
    const { who, rounds } = this;
    if (who !== null) this.#io.remember(writeNote(rounds === null ? who : { ...who, rounds }));
  }
}
