/** Embeddings: `plan ▸ admit ▸ dispatch ▸ settle`. Always whole: vectors don't stream. */
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import { wantsOnlyStored } from "../cache/cache-policy.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { Usage, UsageBasis } from "../contracts/usage.ts";
import { costOfUsage, freeOfCharge, type TokenPrice } from "../limits/cost.ts";
import { wholeReservation } from "../limits/estimate.ts";
import { type Reservation, unused } from "../limits/ports.ts";
import { neutraliseValue, tokenFamilyOf } from "../prompt/control-tokens.ts";
import { estimateTokens } from "../prompt/token-estimate.ts";
import { askWhole, type Usable } from "../routing/ask-whole.ts";
import type { Capability } from "../routing/fleet/fleet-config.ts";
import { modelRecord } from "../routing/fleet/fleet-index.ts";
import type { OriginAnswer } from "../routing/ports.ts";
import { costOf, readEngineUsage } from "../stream/wire-usage.ts";
import { isRecord } from "../wire/is-record.ts";
import { buildEngineEmbeddingBody, type EmbeddingRequest } from "../wire/embeddings-request.ts";
import { dearestPrice } from "./dearest-price.ts";
import { inFormat } from "./embedding-format.ts";
import { planModel, type Candidate } from "./plan.ts";
import type { TurnDeps, ValidatedTurn } from "./ports.ts";
import { named } from "./refused-candidate.ts";
import { settleWhole } from "./settle-whole.ts";

const needs: readonly Capability[] = ["embeddings"];

export interface Embedded {
  readonly body: string;
  readonly model: string;
  readonly answer: OriginAnswer;
  readonly attempts: number;
  readonly tried?: string | undefined;
  readonly usage: Usage;
  readonly basis: UsageBasis;
  readonly price: TokenPrice;
  readonly reservation: Reservation;
}

export async function embed(
  turn: Omit<ValidatedTurn, "asked">,
  request: EmbeddingRequest,
  deps: TurnDeps,
  signal: LeaveSignal,
): Promise<Result<Embedded, Refusal>> {
  const plan = planModel(deps.fleet, turn.tenant, request.model, needs, { principal: turn.principal });
  if (!plan.ok) return plan;
  // Vectors are never stored.
  if (wantsOnlyStored(turn.cacheControl)) return err({ kind: "not-stored" });
  const promptTokens = estimateInput(request.input);
  const { principal, tenant, chargeId } = turn;
  const admitted = await deps.admission.admit({
    principal,
    tenant,
    chargeId,
    ...wholeReservation(promptTokens, 0, 1),
    choices: 1,
    price: dearestPrice(deps.fleet, plan.value),
    place: turn.place,
    yields: turn.yields === true,
  });
  turn.mark("admit");
  if (!admitted.ok) return admitted;
  const reservation = admitted.value;
  const answered = await dispatchFirst(turn, request, plan.value, promptTokens, deps, signal);
  turn.mark("dispatch");
  if (!answered.ok) {
    reservation.settle(unused);
    return answered;
  }
  const { usage, basis, price, model, answer, attempts } = answered.value;
  settleWhole(
    turn,
    reservation,
    {
      status: "completed",
      model,
      cluster: answer.cluster,
      attempts,
      usage,
      basis,
      microdollars: costOfUsage(price, usage),
      price: { version: deps.fleet.version, ...price },
    },
    deps,
  );
  return ok({ ...answered.value, reservation });
}

async function dispatchFirst(
  turn: Omit<ValidatedTurn, "asked">,
  request: EmbeddingRequest,
  plan: readonly Candidate[],
  promptTokens: number,
  deps: TurnDeps,
  signal: LeaveSignal,
): Promise<Result<Omit<Embedded, "reservation">, Refusal>> {
  let refusal: Refusal = { kind: "internal", detail: "a plan without candidates" };
  const inputs = countInputs(request.input);
  for (const { model, variant } of plan) {
    const { record } = variant;
    // Token ids pass as they are: they are not text that could be read as a control token.
    const safe = { ...request, input: neutraliseValue(request.input, tokenFamilyOf(record)) };
    const body = buildEngineEmbeddingBody(safe, record.served_name);
    const asked = await askWhole(
      deps.origin,
      {
        requestId: turn.requestId,
        traceparent: turn.traceparent,
        clusters: variant.clusters,
        model,
        path: "/v1/embeddings",
        body,
        stream: false,
        tenant: turn.principal.tenant,
        tier: turn.principal.tier,
        tokens: promptTokens,
        promptTokens,
        affinity: null,
        place: turn.place,
        deadlineMs: turn.tenant.requests.deadline_seconds * 1000,
        ...(turn.yields === true ? { yields: true as const } : {}),
      },
      (text) => readVectors(text, inputs),
      signal,
      deps.now,
    );
    if (asked.ok) return ok(embeddedOf(asked.value, request, model, promptTokens, deps));
    refusal = named(asked.error, { body, promptTokens });
    if (refusal.kind !== "origin-unavailable" && refusal.kind !== "overloaded") break;
  }
  return err(refusal);
}

/** The parts of an engine's answer that are read here. */
interface Vectors {
  readonly data: readonly unknown[];
  readonly usage: unknown;
}

/** A vector for each input, or what is wrong: clients match them by order, so a missing one would shift all that follow. */
function readVectors(text: string, inputs: number): Result<Vectors, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err("the embeddings are no JSON");
  }
  if (!isRecord(value) || !Array.isArray(value["data"])) return err("the embeddings hold no data");
  const data: readonly unknown[] = value["data"];
  if (data.length !== inputs) return err(`there are ${data.length} embeddings of ${inputs} inputs`);
  if (!data.every((one) => isRecord(one) && isVector(one["embedding"])))
    return err("an embedding is no vector");
  return ok({ data, usage: value["usage"] });
}

/** As numbers, or as base64 of them. */
function isVector(embedding: unknown): boolean {
  return Array.isArray(embedding) || typeof embedding === "string";
}

function embeddedOf(
  { value: { data, usage: engineUsage }, answer, attempts, tried }: Usable<Vectors>,
  { encoding_format: format }: EmbeddingRequest,
  model: string,
  promptTokens: number,
  deps: TurnDeps,
): Omit<Embedded, "reservation"> {
  const said = readEngineUsage(engineUsage);
  const usage: Usage = {
    promptTokens: said?.promptTokens ?? promptTokens,
    completionTokens: 0,
    cachedTokens: said?.cachedTokens ?? 0,
    reasoningTokens: 0,
  };
  const price = modelRecord(deps.fleet, answer.cluster, model)?.price ?? freeOfCharge;
  const body = JSON.stringify({
    object: "list",
    data: data.map((vector) => inFormat(vector, format ?? "float")),
    model,
    usage: {
      prompt_tokens: usage.promptTokens,
      total_tokens: usage.promptTokens,
      cost: costOf(usage, price),
    },
  });
  return { body, model, answer, attempts, tried, usage, basis: said === null ? "estimated" : "exact", price };
}

/** One text, one list of token ids, or several of either. */
function countInputs(input: EmbeddingRequest["input"]): number {
  return typeof input === "string" || typeof input[0] === "number" ? 1 : input.length;
}

function estimateInput(input: EmbeddingRequest["input"]): number {
  if (typeof input === "string") return estimateTokens(input);
  let tokens = 0;
  for (const part of input)
    tokens += typeof part === "number" ? 1 : typeof part === "string" ? estimateTokens(part) : part.length;
  return Math.max(1, tokens);
}
