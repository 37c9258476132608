/** What a run stands on when a test looks at its end alone: an `io` that takes everything, and a lost run that left nothing. */
import type { LostRun, TurnIo } from "./ports.ts";

export const idleIo: TurnIo = {
  nextSequence: 0,
  open: () => undefined,
  emit: () => true,
  progress: () => undefined,
  write: () => undefined,
  remember: () => undefined,
  keep: () => undefined,
};

export const nothingLost: LostRun = {
  events: () => [],
  usage: null,
  note: null,
  kept: null,
  isFindable: true,
};
