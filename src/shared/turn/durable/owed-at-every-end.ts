/**
 * What a turn owes at its end, whichever way that came about: its conversation lets the next one in (release.ts), and where its response can be had
 * by its id alone, its owner's list is told (listed-chat.ts). Added around every runner, so that no way to end forgets it.
 */
import type { ChatRequest } from "../../wire/chat-request.ts";
import { withListing } from "./listed-chat.ts";
import type { TurnOutcome, TurnRunner } from "./ports.ts";
import { releaseOf } from "./release.ts";
import { readTurnRequest, type TurnRequest } from "./turn-request.ts";

export function owingAtEveryEnd(runner: TurnRunner): TurnRunner {
  return {
    ...runner,
    run: async (request, io, signal) => owing(request, await runner.run(request, io, signal)),
    resume: (request, lost) => {
      const work = runner.resume?.(request, lost) ?? null;
      return work === null ? null : async (io, signal) => owing(request, await work(io, signal));
    },
    interrupted: (request, interruption) => owing(request, runner.interrupted(request, interruption)),
  };
}

function owing(text: string, outcome: TurnOutcome): TurnOutcome {
  const read = readTurnRequest<ChatRequest>(text);
  if (!read.ok) return outcome;
  const released = releasing(outcome, read.value);
  if (released.status === "refused") return released;
  return { ...released, effects: withListing(released.effects, released, read.value) };
}

function releasing(outcome: TurnOutcome, request: TurnRequest<unknown>): TurnOutcome {
  const { conversation } = request;
  if (conversation === null || outcome.effects.some(({ kind }) => kind === "append")) return outcome;
  const release = releaseOf(request, conversation, null, outcome.status !== "refused");
  return { ...outcome, effects: [...outcome.effects, release] };
}
