/** One round of a durable turn: an engine's answer through the pass into the journal, up to its last events. */
import type { Usage } from "../../contracts/usage.ts";
import { citingPass } from "../../grounding/citing-encoder.ts";
import type { Grounding } from "../../grounding/ground.ts";
import type { ModelRecord } from "../../routing/fleet/fleet-config.ts";
import { modelRecord } from "../../routing/fleet/fleet-index.ts";
import { createAnswerGuard } from "../../safety/answer-guard.ts";
import type { AnswerCollector } from "../../stream/answer-collector.ts";
import type { AnswerTotals } from "../../stream/answer-options.ts";
import { AnswerPass } from "../../stream/answer-pass.ts";
import { relayStream } from "../../stream/relay.ts";
import { RoundEncoder } from "../../stream/round-encoder.ts";
import type { StreamEnd } from "../../stream/stream-failure.ts";
import type { Transcript } from "../../stream/transcript.ts";
import { AnsweringEngine, type EngineStory } from "../answering-engine.ts";
import { engineTimes, learn, originOutcome } from "../ending.ts";
import type { LiveTurn } from "../open-turn.ts";
import type { TurnDeps } from "../ports.ts";
import { summary } from "../screen-request.ts";
import { TokenBudget } from "../token-budget.ts";
import { journalAnswer } from "./journal-answer.ts";
import type { JournalEvent, TurnIo } from "./ports.ts";
import { noUsage, plus } from "./round-history.ts";
import type { ToolRounds } from "./tool-rounds.ts";
import type { TurnForm } from "./turn-form.ts";

export interface RoundInputs {
  readonly form: TurnForm;
  readonly io: TurnIo;
  /** Collects what this round says. */
  readonly collected: AnswerCollector;
  /** The text and the usage of this round in an earlier run. */
  readonly begun: {
    readonly createdSeconds: number | null;
    readonly usage: Usage;
    readonly transcript: Transcript;
    readonly collected: AnswerCollector;
  } | null;
  /** `null`: the turn has no server tools. */
  readonly tools: ToolRounds | null;
  readonly grounding: Grounding | null;
  readonly receipt: boolean;
  readonly deadlineMs: number;
}

export interface EndedRound {
  readonly how: StreamEnd;
  /** Its last events, which no reader has seen yet. */
  readonly terminal: readonly JournalEvent[];
  /** Of the whole turn so far. */
  readonly totals: AnswerTotals;
  /** Of this round alone. */
  readonly used: Usage;
  readonly story: EngineStory;
  /** What the guard found. */
  readonly guarded: string | null;
  /** The text of this round that a guard model is to judge; `null`: nothing. */
  readonly said: string | null;
  readonly record: ModelRecord;
  readonly createdSeconds: number;
  /** It ended with calls that are ours to make. */
  readonly calledUs: boolean;
}

export async function relayRound(
  turn: LiveTurn,
  turnDeps: TurnDeps,
  signal: AbortSignal,
  inputs: RoundInputs,
): Promise<EndedRound> {
  const { answer, asked, candidate, prompt, reservation } = turn;
  const { form, begun, tools, collected } = inputs;
  const { encoder } = form;
  const record = modelRecord(turnDeps.fleet, answer.cluster, candidate.model) ?? candidate.variant.record;
  const guard = createAnswerGuard(turn.tenant.safety, asked);
  const engine = new AnsweringEngine(turn, turnDeps, signal, begun?.transcript ?? null);
  const budget = new TokenBudget(reservation, {
    promptTokens: prompt.promptTokens,
    answerTokens: prompt.maxTokens * asked.choices,
    price: record.price,
    policy: turn.tenant.limits.when_exhausted,
  });
  const round = tools === null || encoder === null ? null : new RoundEncoder(encoder.encoder, tools.isOurs);
  const pass: AnswerPass = new AnswerPass({
    engineApi: prompt.path === "/v1/completions" ? "completions" : "chat",
    format: asked.format,
    id: turn.responseId,
    model: candidate.model,
    createdMs: turn.createdMs,
    choices: asked.choices,
    namesTool: asked.namesTool,
    includeUsage: asked.includeUsage,
    promptTokens: prompt.promptTokens,
    price: record.price,
    budget: encoder?.bounded(budget) ?? budget,
    collect: collected,
    ...engine.continuer,
    ...(encoder === null
      ? citingPass(inputs.grounding, begun?.collected ?? null, asked)
      : { encoder: round ?? encoder.encoder }),
    ...(begun === null ? {} : { begun }),
    ...(guard === undefined ? {} : { filter: guard }),
  });
  const inAll = (usage: Usage): Usage => (tools === null ? usage : plus(tools.prior, usage));
  encoder?.counting(() => inAll(pass.totals().usage), record.price);
  let end: StreamEnd | null = null;
  // A turn that is ended from outside is charged by its last progress, which leaves out text that the guard still holds back.
  let told = inAll(begun?.usage ?? noUsage);
  const stream = relayStream(answer.body, pass, {
    ...engineTimes,
    firstChunk: answer.firstChunk,
    keepAliveMs: Number.POSITIVE_INFINITY,
    gatherMs: turn.tenant.requests.gather_ms,
    deadlineMs: inputs.deadlineMs,
    signal,
    onEnd: (how) => {
      end = how;
    },
  });
  const terminal = await journalAnswer(stream, pass, inputs.io, {
    choices: asked.choices,
    receipt: inputs.receipt,
    ended: () => end !== null,
    inAll: (usage) => {
      const all = inAll(usage);
      if (!signal.aborted) told = all;
      return all;
    },
  });
  // Read through a function: the compiler does not see that `onEnd` has run.
  const how = ((): StreamEnd => end ?? "client-gone")();
  const totals = pass.totals();
  engine.end(originOutcome(how));
  learn(turn, turnDeps, how, totals);
  return {
    how,
    terminal,
    totals: { ...totals, usage: how === "client-gone" ? told : inAll(totals.usage) },
    used: totals.usage,
    story: engine.story,
    guarded: summary(guard?.findings ?? [], guard?.harm),
    said: guard?.said ?? null,
    record,
    createdSeconds: pass.createdSeconds,
    calledUs: how === "done" && round?.calledUs === true,
  };
}
