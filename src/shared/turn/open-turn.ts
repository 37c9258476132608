/**
 * The first half of every chat turn, direct or durable: from a validated request to an answer whose first byte is in hand.
 *
 *   plan ▸ admit ‖ lookup (exact ▸ semantic) ▸ recall ‖ ground ▸ compose (▸ extend) ▸ dispatch
 *
 * Nothing that costs money starts before admission, and a turn that is refused afterwards gets its reservation back. What
 * follows (relay or assemble, settle) is answer-direct.ts for the edge and durable/chat-run.ts for a Generation object.
 */
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import { wantsOnlyStored } from "../cache/cache-policy.ts";
import type { CachedAnswer } from "../cache/ports.ts";
import type { RequestId } from "../contracts/ids.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { type Grounding, shownOf } from "../grounding/ground.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { type Reservation, unused } from "../limits/ports.ts";
import type { ChatMessage } from "../prompt/chat-message.ts";
import type { ComposedPrompt } from "../prompt/compose.ts";
import { microdollarsFor } from "../limits/cost.ts";
import { answerReservation, wholeReservation } from "../limits/estimate.ts";
import { seedOf } from "../routing/choice/affinity.ts";
import { hasSeveralReplicas } from "../routing/fleet/fleet-index.ts";
import type { OriginAnswer } from "../routing/ports.ts";
import { spotlightOf } from "../safety/spotlight.ts";
import type { Asked } from "./asked.ts";
import { dearestPrice } from "./dearest-price.ts";
import { promptExhausted } from "./exhausted.ts";
import { lookup, type CacheStanding } from "./lookup.ts";
import { planModel, type Candidate, type Plan } from "./plan.ts";
import { recallAndGround } from "./recall-and-ground.ts";
import { givesWay, named, refusalToTell } from "./refused-candidate.ts";
import type { TurnDeps, ValidatedTurn } from "./ports.ts";
import { freeCharge, settleWhole } from "./settle-whole.ts";

/** Let in by the buckets; must be settled, once, whatever happens next. */
export interface AdmittedTurn extends ValidatedTurn {
  readonly plan: Plan;
  readonly reservation: Reservation;
  readonly cache: CacheStanding;
}

/** The engine's answer, its first byte in hand. */
export interface LiveTurn extends AdmittedTurn {
  readonly kind: "live";
  readonly candidate: Candidate;
  readonly prompt: ComposedPrompt;
  /** Whether the origin was asked to stream, whatever the client asked for. */
  readonly originStreams: boolean;
  readonly answer: OriginAnswer;
  /** The passages of the caller's files that the model was given; `null`: none were asked for. */
  readonly grounding: Grounding | null;
}

/** The answer was there already: it counts as a request and costs no tokens. */
export interface CachedTurn extends AdmittedTurn {
  readonly kind: "cached";
  readonly cached: CachedAnswer;
}

export type OpenedTurn = LiveTurn | CachedTurn;

/** `signal` fires when the client is gone, the turn was cancelled, or its time is over. */
export async function openTurn(
  turn: ValidatedTurn,
  deps: TurnDeps,
  signal: LeaveSignal,
): Promise<Result<OpenedTurn, Refusal>> {
  const plan = planModel(deps.fleet, turn.tenant, turn.asked.model, turn.asked.capabilities, turn);
  if (!plan.ok) return plan;
  const looking = lookup(turn, plan.value, deps, signal);
  const onlyStored = wantsOnlyStored(turn.cacheControl);
  // The cache is known to miss, so this need not wait for admission.
  if (onlyStored && !(looking instanceof Promise)) return err({ kind: "not-stored" });
  const { promptTokens, answerTokens } = onlyStored
    ? nothingToGenerate
    : reservationFor(turn, plan.value[0], estimatedPrompt(turn, plan.value[0], deps), null, deps);
  const admitted = await deps.admission.admit({
    principal: turn.principal,
    tenant: turn.tenant,
    chargeId: turn.chargeId,
    promptTokens,
    answerTokens,
    choices: turn.asked.choices,
    price: dearestPrice(deps.fleet, plan.value),
    place: turn.place,
    yields: turn.yields === true,
  });
  turn.mark("admit");
  if (!admitted.ok) return admitted;
  const reservation = admitted.value;
  const looked = looking instanceof Promise ? await looking : looking;
  const similar = looked.semantic?.afterAdmission;
  const cache = similar === undefined ? looked : await similar();
  const base: AdmittedTurn = { ...turn, plan: plan.value, reservation, cache };
  if (cache.lookup !== null) turn.mark("lookup");
  if (cache.lookup?.result === "hit") {
    const { answer } = cache.lookup;
    settleWhole(turn, reservation, freeCharge(answer.model), deps);
    return ok({ ...base, kind: "cached", cached: answer });
  }
  const opened = onlyStored ? err({ kind: "not-stored" } as const) : await dispatchFirst(base, deps, signal);
  // A turn without an answer costs nothing; the request itself is given back, too, whoever's fault it was.
  if (!opened.ok) reservation.settle(unused);
  return opened;
}

/**
 * Another round of a turn: its model is asked again, with what was said and learned since in `asked`.
 *
 * @param reservation what is left of the turn's own
 * @param round at least 2: distinguishes its requests in the engines' logs
 */
export function openRound(
  turn: LiveTurn,
  asked: Asked,
  reservation: Reservation,
  round: number,
  deps: TurnDeps,
  signal: LeaveSignal,
): Promise<Result<LiveTurn, Refusal>> {
  const { candidate, requestId, grounding } = turn;
  return dispatchFirst(
    {
      ...turn,
      asked,
      reservation,
      plan: [candidate],
      // The answer cites by their numbers, so files are searched only once.
      ground: grounding === null ? null : () => Promise.resolve(ok(grounding)),
      requestId: `${requestId.slice(0, maxRoundRequestId)}-r${round}` as RequestId,
      // An answer that has begun is not dropped for lack of room.
      yields: false,
      mark: () => undefined,
    },
    { ...deps, mirror: null },
    signal,
  );
}

/** Room for the suffixes of a round, of a continuation in it (answering-engine.ts), and of each attempt. */
const maxRoundRequestId = 104;

/** The first candidate that composes and whose fleet answers; a candidate that is down gives way to the next. */
async function dispatchFirst(
  turn: AdmittedTurn,
  deps: TurnDeps,
  signal: LeaveSignal,
): Promise<Result<LiveTurn, Refusal>> {
  const recollected = await recallAndGround(turn, turn.plan, deps.fleet);
  if (!recollected.ok) return recollected;
  const { plan, history, grounding } = recollected.value;
  const salt = deps.cacheSalt(turn.principal.tenant);
  const cacheSalt = typeof salt === "string" ? salt : await salt;
  const given: GivenTurn = { turn: { ...turn, plan }, history, grounding, cacheSalt };
  let refusal: Refusal | null = null;
  for (const candidate of plan) {
    const asked = await askCandidate(given, candidate, deps, signal);
    if (asked.ok) return asked;
    refusal = refusalToTell(refusal, asked.error.refusal);
    if (!asked.error.givesWay) break;
  }
  return err(refusal ?? { kind: "internal", detail: "a plan without candidates" });
}

/** What is the same for every candidate. */
interface GivenTurn {
  readonly turn: AdmittedTurn;
  readonly history: readonly ChatMessage[];
  readonly grounding: Grounding | null;
  readonly cacheSalt: string;
}

interface CandidateRefused {
  readonly refusal: Refusal;
  /** The next one may be asked. */
  readonly givesWay: boolean;
}

/** @param openEnd the engine is told no length: the one that we chose, where the client had named none, did not fit */
async function askCandidate(
  given: GivenTurn,
  candidate: Candidate,
  deps: TurnDeps,
  signal: LeaveSignal,
  openEnd = false,
): Promise<Result<LiveTurn, CandidateRefused>> {
  const { turn, history, grounding, cacheSalt } = given;
  const originStreams = mustStream(turn, candidate);
  const composed = turn.asked.compose({
    history,
    defaultSystemPrompt: turn.tenant.default_system_prompt,
    model: candidate.variant.record,
    estimateRatio: deps.calibration.ratio(turn.principal.tenant, candidate.model),
    stream: originStreams,
    cacheSalt,
    affinitySeed: hasSeveralReplicas(deps.fleet, candidate.variant.clusters) ? seedOf(cacheSalt) : null,
    openEnd,
    spotlight: spotlightOf(turn.tenant.safety, cacheSalt),
    passages: grounding === null ? null : grounding.passages,
  });
  if (!composed.ok) return err({ refusal: composed.error, givesWay: true });
  const prompt = composed.value;
  const needed = reservationFor(turn, candidate, prompt.promptTokens, prompt.maxTokens, deps);
  const wanted = needed.promptTokens + needed.answerTokens;
  const cost = microdollarsFor(
    dearestPrice(deps.fleet, [candidate]),
    needed.promptTokens,
    needed.answerTokens,
  );
  if (wanted > turn.reservation.tokens || cost > turn.reservation.microdollars) {
    const extended = turn.reservation.extend(wanted, cost);
    const granted = typeof extended === "boolean" ? extended : await extended;
    if (!granted) {
      const refusal = promptExhausted(turn.reservation, needed.promptTokens, turn.asked.choices);
      return err({ refusal, givesWay: false });
    }
  }
  turn.mark("compose");
  const request = {
    requestId: turn.requestId,
    traceparent: turn.traceparent,
    clusters: candidate.variant.clusters,
    model: candidate.model,
    path: prompt.path,
    body: prompt.body,
    stream: originStreams,
    tenant: turn.principal.tenant,
    tier: turn.principal.tier,
    tokens: wanted,
    promptTokens: needed.promptTokens,
    affinity: prompt.affinity,
    place: turn.place,
    deadlineMs: turn.tenant.requests.deadline_seconds * 1000,
    ...(turn.tenant.requests.hedge && turn.yields !== true ? { hedge: true } : {}),
    ...(turn.yields === true ? { yields: true as const } : {}),
  };
  const answer = await deps.origin.dispatch(request, signal);
  turn.mark("dispatch");
  if (answer.ok) {
    if (candidate.route !== null && deps.mirror !== null)
      deps.mirror({ turn, route: candidate.route, request, history, grounding, cacheSalt });
    const shown = grounding === null ? null : shownOf(grounding, prompt.shownPassages ?? 0);
    return ok({
      ...turn,
      kind: "live",
      candidate,
      prompt,
      originStreams,
      answer: answer.value,
      grounding: shown,
    });
  }
  if (answer.error.kind === "context-too-long" && prompt.lengthIsOurs)
    return askCandidate(given, candidate, deps, signal, true);
  // Files may be searched by default, unasked: a request that fits without their passages is not refused for them.
  if (answer.error.kind === "context-too-long" && grounding !== null && (prompt.shownPassages ?? 0) > 0)
    return askCandidate({ ...given, grounding: shownOf(grounding, 0) }, candidate, deps, signal);
  return err({ refusal: named(answer.error, prompt), givesWay: givesWay(answer.error) });
}

const nothingToGenerate = { promptTokens: 0, answerTokens: 0 } as const;

/** An answer that ends within this is asked for whole: it costs a third of the CPU, and no tunnel cuts it. */
const shortAnswerMs = 20_000;

function mustStream({ asked, recall }: ValidatedTurn, { variant: { record } }: Candidate): boolean {
  if (asked.stream || recall !== null) return true;
  const most = asked.maxTokens ?? record.max_output_tokens ?? record.context_window;
  return most * record.ms_per_token >= shortAnswerMs;
}

function estimatedPrompt(turn: ValidatedTurn, { model }: Candidate, { calibration }: TurnDeps): number {
  return Math.ceil(turn.asked.estimatePromptTokens() * calibration.ratio(turn.tenant.id, model));
}

/** What to set aside. `mostTokens`: what each choice may have at this model; `null`: not known yet. */
function reservationFor(
  turn: ValidatedTurn,
  candidate: Candidate,
  promptTokens: number,
  mostTokens: number | null,
  deps: TurnDeps,
): { readonly promptTokens: number; readonly answerTokens: number } {
  const { choices } = turn.asked;
  const maxTokens = mostTokens ?? turn.asked.maxTokens;
  if (maxTokens !== null && !mustStream(turn, candidate))
    return wholeReservation(promptTokens, maxTokens, choices);
  const expected = deps.answerLengths.expected(turn.tenant.id, candidate.model);
  return { promptTokens, answerTokens: answerReservation(maxTokens, choices, expected) };
}
