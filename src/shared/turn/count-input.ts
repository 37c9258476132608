/**
 * How many tokens would this prompt be? `plan ▸ admit ▸ recall ‖ ground ▸ compose ▸ count`: the engine's own count of what it would get,
 * where it has one and is not busy, else our estimate. Nothing is generated: it counts as a request and costs no tokens.
 */
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { type Grounding, shownOf } from "../grounding/ground.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { type Reservation, unused } from "../limits/ports.ts";
import type { ChatMessage } from "../prompt/chat-message.ts";
import type { ComposedPrompt } from "../prompt/compose.ts";
import { wholeText } from "../routing/whole-text.ts";
import { isRecord } from "../wire/is-record.ts";
import { dearestPrice } from "./dearest-price.ts";
import { planModel, type Candidate, type Plan } from "./plan.ts";
import { recallAndGround } from "./recall-and-ground.ts";
import type { TurnDeps, ValidatedTurn } from "./ports.ts";
import { freeCharge, settleWhole } from "./settle-whole.ts";
import { refusalToTell } from "./refused-candidate.ts";
import { spotlightOf } from "../safety/spotlight.ts";

export interface CountedInput {
  readonly tokens: number;
  /** `exact`: the engine counted. */
  readonly basis: "exact" | "estimated";
  readonly model: string;
  readonly reservation: Reservation;
  /** Passages of files that are counted with it; `null`: none were asked for. */
  readonly grounding: Grounding | null;
}

/** A count is not worth waiting for in a queue: an estimate is there at once. */
const engineMs = 2_000;

export async function countInput(
  turn: ValidatedTurn,
  deps: TurnDeps,
  signal: LeaveSignal,
): Promise<Result<CountedInput, Refusal>> {
  const plan = planModel(deps.fleet, turn.tenant, turn.asked.model, turn.asked.capabilities, turn);
  if (!plan.ok) return plan;
  const admitted = await deps.admission.admit({
    principal: turn.principal,
    tenant: turn.tenant,
    chargeId: turn.chargeId,
    promptTokens: 0,
    answerTokens: 0,
    choices: 1,
    price: dearestPrice(deps.fleet, plan.value),
    place: turn.place,
  });
  turn.mark("admit");
  if (!admitted.ok) return admitted;
  const reservation = admitted.value;
  const counted = await count(turn, plan.value, deps, signal);
  if (counted.ok) settleWhole(turn, reservation, freeCharge(counted.value.model), deps);
  else reservation.settle(unused);
  return counted.ok ? ok({ ...counted.value, reservation }) : counted;
}

async function count(
  turn: ValidatedTurn,
  planned: Plan,
  deps: TurnDeps,
  signal: LeaveSignal,
): Promise<Result<Omit<CountedInput, "reservation">, Refusal>> {
  const recollected = await recallAndGround(turn, planned, deps.fleet);
  if (!recollected.ok) return recollected;
  const { plan, history, grounding } = recollected.value;
  const given = { turn, history, grounding };
  let refusal: Refusal | null = null;
  for (const candidate of plan) {
    const counted = await countFor(given, candidate, deps, signal);
    if (counted.ok) return counted;
    refusal = refusalToTell(refusal, counted.error);
  }
  return err(refusal ?? { kind: "internal", detail: "a plan without candidates" });
}

interface Given {
  readonly turn: ValidatedTurn;
  readonly history: readonly ChatMessage[];
  readonly grounding: Grounding | null;
}

/** What this candidate's engine would get. Over its window it is refused as the response would be, by our estimate or by the engine. */
async function countFor(
  given: Given,
  candidate: Candidate,
  deps: TurnDeps,
  signal: LeaveSignal,
): Promise<Result<Omit<CountedInput, "reservation">, Refusal>> {
  const { turn, history, grounding } = given;
  const { model, variant } = candidate;
  const composed = turn.asked.compose({
    history,
    defaultSystemPrompt: turn.tenant.default_system_prompt,
    model: variant.record,
    estimateRatio: deps.calibration.ratio(turn.tenant.id, model),
    stream: false,
    cacheSalt: null,
    affinitySeed: null,
    // All marks have the same length, so any will do for a count.
    spotlight: spotlightOf(turn.tenant.safety, ""),
    passages: grounding === null ? null : grounding.passages,
  });
  if (!composed.ok) return composed;
  turn.mark("compose");
  const exact = await engineCount(turn, candidate, composed.value, deps, signal);
  turn.mark("dispatch");
  const { promptTokens, shownPassages = 0 } = composed.value;
  const { context_window: windowTokens } = variant.record;
  const shown = grounding === null ? null : shownOf(grounding, shownPassages);
  if (exact === null) return ok({ tokens: promptTokens, basis: "estimated", model, grounding: shown });
  // An answer has one token at least.
  if (exact < windowTokens) return ok({ tokens: exact, basis: "exact", model, grounding: shown });
  // The response would then be asked for without passages (open-turn.ts).
  return grounding !== null && shownPassages > 0
    ? countFor({ ...given, grounding: shownOf(grounding, 0) }, candidate, deps, signal)
    : err({ kind: "context-too-long", windowTokens, promptTokens: exact, answerTokens: 1 });
}

/** `null`: the engine has no count, or not now. */
async function engineCount(
  turn: ValidatedTurn,
  { model, variant }: Candidate,
  prompt: ComposedPrompt,
  deps: TurnDeps,
  signal: LeaveSignal,
): Promise<number | null> {
  if (!variant.record.engine_features.tokenize || hasMedia(prompt)) return null;
  const asked = await deps.origin.dispatch(
    {
      requestId: turn.requestId,
      traceparent: turn.traceparent,
      clusters: variant.clusters,
      model,
      path: "/tokenize",
      body: JSON.stringify(tokenizerBody(prompt)),
      stream: false,
      tenant: turn.principal.tenant,
      tier: turn.principal.tier,
      tokens: 0,
      promptTokens: 0,
      affinity: null,
      place: turn.place,
      deadlineMs: engineMs,
      // One attempt, if there is room; routing learns neither times nor faults from it.
      shadow: true,
    },
    signal,
  );
  if (!asked.ok) return null;
  const answer = asked.value;
  try {
    const value: unknown = JSON.parse(await wholeText(answer));
    const tokens = isRecord(value) ? value["count"] : null;
    answer.report("done");
    return typeof tokens === "number" && Number.isSafeInteger(tokens) && tokens >= 0 ? tokens : null;
  } catch {
    // Broken off, or no JSON: the estimate serves as well.
    answer.report("origin-error");
    return null;
  }
}

/**
 * For an image, `/tokenize` sees only a placeholder, which the model's own processor turns into hundreds of tokens. Inside a text these quotes
 * are escaped.
 */
function hasMedia({ body }: ComposedPrompt): boolean {
  return body.includes('"type":"image_url"') || body.includes('"type":"input_audio"');
}

/** The fields of the engine's body that shape its prompt. A template that is not among them is the engine's default in both calls. */
function tokenizerBody({ path, body }: ComposedPrompt): Record<string, unknown> {
  const {
    model,
    messages,
    tools,
    chat_template_kwargs: frame,
    prompt,
  } = JSON.parse(body) as Record<string, unknown>;
  if (path === "/v1/completions") return { model, prompt, add_special_tokens: false };
  return {
    model,
    messages,
    add_generation_prompt: true,
    ...(tools === undefined ? {} : { tools }),
    ...(frame === undefined ? {} : { chat_template_kwargs: frame }),
  };
}
