import type { Usage } from "../../src/shared/contracts/usage.ts";
import { lineOf } from "../../src/shared/turn/durable/journal.ts";
import type {
  Effect,
  Interruption,
  LostRun,
  TurnEnd,
  TurnOutcome,
  TurnRunner,
  TurnWork,
} from "../../src/shared/turn/durable/ports.ts";
import { toWireError } from "../../src/shared/wire/errors.ts";

/**
 * The end of a turn whose runner could not say how it ends: one error event, in the form that every OpenAI client
 * knows, and no `[DONE]`. A reservation that no effect settles stays charged at its estimate.
 */
export function unexpectedEnd(usage: Usage | null, effects: readonly Effect[]): TurnEnd {
  const { body } = toWireError({ kind: "internal", detail: "the runner could not end its turn" });
  return {
    status: "failed",
    events: [{ data: JSON.stringify(body) }],
    response: null,
    usage: usage ?? { promptTokens: 0, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 },
    basis: "counted",
    effects,
  };
}

export type Fault = (event: "turn-end-failed" | "turn-resume-failed", detail: string) => void;

/** The runner's end for a turn that its run did not end; if the runner can't give one, the turn ends as failed. */
export function interruptedEnd(
  runner: TurnRunner,
  request: string | null,
  interruption: Interruption,
  fault: Fault,
): TurnOutcome {
  try {
    if (request === null) throw new Error("the turn has no request");
    const outcome = runner.interrupted(request, interruption);
    if (outcome.status !== "refused") outcome.events.forEach(lineOf);
    return outcome;
  } catch (error) {
    fault("turn-end-failed", String(error));
    return unexpectedEnd(interruption.usage, []);
  }
}

/** The work that continues a turn whose run was lost; `null`: it does not continue. */
export function resumedWork(
  runner: TurnRunner,
  request: string | null,
  lost: LostRun,
  fault: Fault,
): TurnWork | null {
  if (request === null) return null;
  try {
    return runner.resume?.(request, lost) ?? null;
  } catch (error) {
    fault("turn-resume-failed", String(error));
    return null;
  }
}
