/** What is left of a run that did not end its turn: what storage holds, and what is still in memory. */
import type { Interruption, LostRun } from "../../src/shared/turn/durable/ports.ts";
import { usageOf } from "../../src/shared/turn/durable/progress.ts";
import type { GenerationStore } from "./generation-store.ts";
import type { TurnRun } from "./turn-run.ts";
import type { TurnJournal } from "./turn-journal.ts";
import type { Turn } from "./turn-value.ts";

/** For a run whose memory is gone. */
export function lostRun(turn: Turn, store: GenerationStore, journal: TurnJournal): LostRun {
  return {
    ...storedOf(store, journal),
    usage: store.journalEnd().usage,
    isFindable: turn.fingerprint !== null || turn.background,
  };
}

/**
 * For a run that is ended from outside.
 *
 * @param live `null`: its memory is gone
 * @param isWhole storage took everything that it emitted: otherwise the bill is what is stored
 */
export function interruptionOf(
  reason: Interruption["reason"],
  live: TurnRun | null,
  isWhole: boolean,
  store: GenerationStore,
  journal: TurnJournal,
): Interruption {
  const told = store.journalEnd().usage;
  return {
    ...storedOf(store, journal),
    reason,
    opened: journal.next > 0 || live?.isOpen === true,
    usage: (isWhole ? live?.usage : null) ?? (told === null ? null : usageOf(told)),
    nowMs: Date.now(),
  };
}

function storedOf(store: GenerationStore, journal: TurnJournal) {
  return { events: () => journal.events(), note: store.note, kept: store.kept };
}
