/**
 * How does a chat turn continue after its run was lost (eviction, crash, deploy)? What its journal shows counts as said: the answer
 * continues as after an engine's failure (continuation.ts), with an engine that says nothing standing in for the one
 * that is gone. Pure, except for the two ports that it wraps.
 */
import type { Usage } from "../../contracts/usage.ts";
import { err, ok } from "../../contracts/result.ts";
import { type Grounding, readGrounding } from "../../grounding/ground.ts";
import type { Admission } from "../../limits/ports.ts";
import { settlingBy } from "../../limits/settling-by.ts";
import type { Origin } from "../../routing/ports.ts";
import type { AnswerCollector } from "../../stream/answer-collector.ts";
import type { AnswerTotals } from "../../stream/answer-options.ts";
import type { FinishReason } from "../../stream/engine-event.ts";
import { Transcript } from "../../stream/transcript.ts";
import type { Price } from "../../stream/wire-usage.ts";
import { turnUse } from "../ending.ts";
import { asOneAnswer } from "./chat-rounds.ts";
import { endEffects, finishedStatus, formOf, type ChatTurnRequest } from "./chat-turn-end.ts";
import { journalEvents } from "./gathered.ts";
import type { LostRun, TurnEnd } from "./ports.ts";
import { usageOf } from "./progress.ts";
import { most, toldRounds, type RoundsNote } from "./round-history.ts";
import { readNote, type RunNote } from "./run-note.ts";
import type { BegunRounds } from "./tool-rounds.ts";

export interface BegunAnswer {
  readonly note: RunNote;
  /** What readers may have seen of the present round; grows as the answer goes on. */
  readonly collected: AnswerCollector;
  /** What was said and called before that round; `null`: the turn has no server tools. */
  readonly rounds: BegunRounds | null;
  readonly transcript: Transcript;
  /** Of all rounds. */
  readonly usage: Usage;
  /** As in the first chunk; null if the format has no time. */
  readonly createdSeconds: number | null;
  /** The journal. Read lazily. */
  readonly events: LostRun["events"];
  /** Passages of files that the model was given; `null`: none were asked for. */
  readonly grounding: Grounding | null;
}

export type ChatResume =
  /** No reader saw any of the answer, and a client can still come for it: it runs from the start. */
  | { readonly kind: "anew"; readonly earlyTold: boolean }
  | { readonly kind: "goes-on"; readonly begun: BegunAnswer }
  /** Readers have all of it and its finish reason: only the end is missing. */
  | { readonly kind: "complete"; readonly begun: BegunAnswer; readonly finish: FinishReason }
  | { readonly kind: "ends"; readonly reason: string };

export function chatResume(request: ChatTurnRequest, lost: LostRun, now: () => number): ChatResume {
  const [first] = lost.events();
  if (first === undefined)
    return lost.isFindable
      ? { kind: "anew", earlyTold: false }
      : ends("nobody knows of it: whoever asked has got an error");
  const form = formOf(request, now);
  const early = journalEvents(form.early()).length;
  if (early > 0 && [...lost.events()].length === early) return { kind: "anew", earlyTold: true };
  const { asked } = form;
  if (!request.tenant.requests.continue_answers) return ends("the tenant does not want it");
  if (asked.choices !== 1) return ends("n is over 1");
  const note = readNote(lost.note);
  if (note === null || lost.usage === null) return ends("it is not known who answered");
  const { collected, rounds, prior, createdSeconds } = form.history(lost.events(), lost.kept);
  const noted = notedRounds(note, prior);
  if (rounds.length > 0 && noted === null) return ends("it is not known what its tools said");
  // No event shows a chat's calls, and older code did not keep them elsewhere.
  if (rounds.length === 0 && (noted?.prior.completionTokens ?? 0) > 0)
    return ends("what its tools said is gone");
  // What was kept beside the journal may be newer than its last row.
  const usage = noted === null ? usageOf(lost.usage) : most(lost.usage, noted.prior);
  const [choice] = collected.choices;
  if (collected.overflowed) return ends("the answer is too long to be kept");
  const begun: BegunAnswer = {
    note,
    collected,
    rounds: noted === null ? null : { rounds, note: noted },
    transcript: new Transcript(
      choice?.content ?? "",
      usage.completionTokens - (noted?.prior.completionTokens ?? 0),
      lost.usage.keptTokens,
    ),
    usage,
    createdSeconds,
    events: lost.events,
    grounding: readGrounding(lost.kept),
  };
  if (choice !== undefined) {
    if (choice.finishReason !== null) return { kind: "complete", begun, finish: choice.finishReason };
    if (choice.toolCalls.length > 0 || choice.refusal !== null) return ends("it had begun a tool call");
    if (choice.reasoning !== null) return ends("it had begun to think");
  }
  return { kind: "goes-on", begun };
}

/** @param prior the usage of the rounds that are kept beside the journal: the journal's note may be older */
function notedRounds({ rounds }: RunNote, prior: Usage | undefined): RoundsNote | null {
  if (prior === undefined) return rounds ?? null;
  return rounds === undefined ? { told: {}, sources: [], prior } : { ...rounds, prior };
}

/** The end of an answer that readers have in full. */
export function completeEnd(
  request: ChatTurnRequest,
  begun: BegunAnswer,
  finish: FinishReason,
  price: Price,
  now: () => number,
): TurnEnd {
  const { note, collected, rounds, usage, createdSeconds, events, grounding } = begun;
  const status = finishedStatus(request, finish);
  const form = formOf(request, now);
  form.rounds?.cites(rounds?.note.sources ?? []);
  const { last, response } = form.conclude(events(), finish, {
    status,
    model: note.model,
    createdSeconds: createdSeconds ?? Math.floor(request.createdMs / 1000),
    collected: asOneAnswer(toldRounds(rounds), collected),
    usage,
    price,
    grounding,
  });
  const totals: AnswerTotals = { usage, basis: "exact", finishReasons: [finish] };
  return {
    status,
    events: journalEvents(last),
    response,
    usage,
    basis: totals.basis,
    effects: endEffects(
      request,
      note.entered,
      collected,
      status,
      { ...turnUse(totals, price, note.model), promptTokens: usage.promptTokens },
      { rounds: toldRounds(rounds), note: rounds?.note ?? null, grounding },
    ),
  };
}

function ends(reason: string): ChatResume {
  return { kind: "ends", reason };
}

/** Stands in for the engine that is gone: it answers only for that engine's model, and ends at once without a finish reason. */
export function goneEngine(origin: Origin, note: RunNote): Origin {
  return {
    dispatch: (request) =>
      Promise.resolve(
        request.model === note.model
          ? ok({
              status: 200,
              contentType: "text/event-stream",
              text: null,
              firstChunk: null,
              body: null,
              cluster: note.cluster,
              replica: note.replica,
              attempts: 0,
              arrived: () => undefined,
              report: () => undefined,
            })
          : err({ kind: "origin-unavailable", retryAfterMs: 1000, detail: "another model had begun" }),
      ),
    probe: (name) => origin.probe(name),
  };
}

/**
 * The same reservation again (asking twice with one id reserves once). It is not settled here: what was delivered before
 * is part of the bill, which goes out only with the end. Nothing is given back either if it is not admitted again.
 */
export function settledAtEnd(admission: Admission): Admission {
  const resumed: Admission = { admit: (request) => admission.admit({ ...request, isResumed: true }) };
  return settlingBy(resumed, () => undefined);
}
