/**
 * A conversation lets its turns in one at a time, and each must tell when it is over. A saved turn does so by being appended; every other
 * end (refused, cancelled before a word, nothing to keep) by an empty `append`, which is added here.
 *
 * Such a turn's request may still be stored under its own id; the conversation is told, so that its deletion reaches it.
 */
import type { ConversationRef } from "../conversation-name.ts";
import type { Effect, TurnOutcome, TurnRunner } from "./ports.ts";
import { readTurnRequest } from "./turn-request.ts";

export function releasingConversation(runner: TurnRunner): TurnRunner {
  return {
    ...runner,
    run: async (request, io, signal) => releasing(request, await runner.run(request, io, signal)),
    resume: (request, lost) => {
      const work = runner.resume?.(request, lost) ?? null;
      return work === null ? null : async (io, signal) => releasing(request, await work(io, signal));
    },
    interrupted: (request, interruption) => releasing(request, runner.interrupted(request, interruption)),
  };
}

function releasing(text: string, outcome: TurnOutcome): TurnOutcome {
  if (outcome.effects.some(({ kind }) => kind === "append")) return outcome;
  const read = readTurnRequest<unknown>(text);
  const conversation: ConversationRef | null = read.ok ? read.value.conversation : null;
  if (!read.ok || conversation === null) return outcome;
  const { principal, tenant, responseId } = read.value;
  const release: Effect = {
    kind: "append",
    jurisdiction: tenant.jurisdiction,
    objectName: conversation.objectName,
    owner: { tenant: principal.tenant, user: principal.user },
    conversationId: conversation.id,
    mustExist: conversation.mustExist,
    // No incarnation has this number, so older code saves nothing.
    incarnation: 0,
    items: [],
    ...(outcome.status === "refused" ? {} : { responseId }),
  };
  return { ...outcome, effects: [...outcome.effects, release] };
}
