/**
 * How does a chat turn of a Generation object begin, continue after its journal, or end without its run? Decides which, and hands
 * the work to a run (chat-run.ts).
 */
import type { Admission } from "../../limits/ports.ts";
import { modelRecord } from "../../routing/fleet/fleet-index.ts";
import type { ChatRequest } from "../../wire/chat-request.ts";
import { modelPrice } from "../dearest-price.ts";
import { askedMessages, answerWithMetadata } from "./listed-chat.ts";
import { ChatRun, noFleet, type ChatRunDeps } from "./chat-run.ts";
import { chatResume, completeEnd } from "./chat-resume.ts";
import { notedAdmission } from "./noted-admission.ts";
import type { TurnRunner } from "./ports.ts";
import { givingBack, interrupted, refused } from "./chat-turn-end.ts";
import { enteredBy, pricedBy, type EnteredConversation } from "./run-note.ts";
import { openResponse } from "./response-form.ts";
import { sealInterrupted } from "./seal-end.ts";
import { readTurnRequest } from "./turn-request.ts";

export function createChatRunner(deps: ChatRunDeps): TurnRunner {
  /** The conversation that the run under way has loaded; `null`: none yet, or the run's memory is gone. */
  let entered: EnteredConversation | null = null;
  const onRecall = (loaded: EnteredConversation | null): void => {
    entered = loaded;
  };
  return {
    async run(text, io, signal) {
      const read = readTurnRequest<ChatRequest>(text);
      if (!read.ok) return refused({ kind: "internal", detail: "a turn of an unknown version" }, []);
      entered = null;
      let isAdmitted = false;
      const noting = withAdmission(deps, (admission) =>
        notedAdmission(admission, () => {
          isAdmitted = true;
        }),
      );
      const outcome = await new ChatRun(read.value, noting, io, signal, onRecall).run();
      // The run has given it back, unless it was lost on the way: then nothing else would.
      return isAdmitted ? givingBack(outcome, read.value) : outcome;
    },
    resume(text, lost) {
      const read = readTurnRequest<ChatRequest>(text);
      if (!read.ok) return null;
      const resumed = chatResume(read.value, lost, deps.now);
      if (resumed.kind === "ends") return null;
      const begun = resumed.kind === "anew" ? null : resumed.begun;
      const earlyTold = resumed.kind === "anew" && resumed.earlyTold;
      entered = begun?.note.entered ?? null;
      if (resumed.kind === "complete")
        return async () => {
          const fleet = (await deps.turnDeps())?.fleet;
          if (fleet === undefined) return refused(noFleet, []);
          const { note } = resumed.begun;
          const price =
            note.price ??
            modelRecord(fleet, note.cluster, note.model)?.price ??
            modelPrice(fleet, note.model);
          const end = completeEnd(read.value, resumed.begun, resumed.finish, price, deps.now);
          return sealInterrupted(end, read.value, note.price ?? null, deps.now(), deps.archives);
        };
      return async (io, signal) => {
        // The stored rounds belong to the lost run, and must not be taken for this run's.
        if (begun === null && lost.kept !== null) io.keep("{}");
        const outcome = await new ChatRun(read.value, deps, io, signal, onRecall, begun).run(earlyTold);
        return begun === null ? givingBack(outcome, read.value) : outcome;
      };
    },
    interrupted: (text, interruption) => {
      const read = readTurnRequest<ChatRequest>(text);
      // A lost run that does not continue has named its conversation only in its note.
      const outcome = interrupted(text, interruption, entered ?? enteredBy(interruption.note));
      const price = pricedBy(interruption.note);
      return sealInterrupted(outcome, read.ok ? read.value : null, price, interruption.nowMs, deps.archives);
    },
    running: (text) => {
      const read = readTurnRequest<ChatRequest>(text);
      if (!read.ok || read.value.response === undefined) return null;
      return openResponse({ ...read.value, response: read.value.response }, "in_progress");
    },
    asked: (text, page) => {
      const read = readTurnRequest<ChatRequest>(text);
      return read.ok ? askedMessages(read.value, page) : { messages: null, hasMore: false };
    },
    withMetadata: answerWithMetadata,
  };
}

function withAdmission(deps: ChatRunDeps, change: (admission: Admission) => Admission): ChatRunDeps {
  return {
    ...deps,
    turnDeps: async () => {
      const turnDeps = await deps.turnDeps();
      return turnDeps === null ? null : { ...turnDeps, admission: change(turnDeps.admission) };
    },
  };
}
