/**
 * A model of the fleet as the semantic cache's embedder. Where a prompt may go is asked as for the turn itself: a region that must not
 * see a tenant's chats sees none of its questions either.
 *
 * Its tokens are charged to nobody: it is the tenant's choice, not the user's, and a question has a few dozen.
 */
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { neutraliseValue, tokenFamilyOf } from "../prompt/control-tokens.ts";
import { estimateTokens } from "../prompt/token-estimate.ts";
import type { Embedder } from "../retrieval/ports.ts";
import { wholeText } from "../routing/whole-text.ts";
import { isRecord } from "../stream/wire-usage.ts";
import { buildEngineEmbeddingBody } from "../wire/embeddings-request.ts";
import { planModel, type Candidate } from "./plan.ts";
import type { TurnDeps, ValidatedTurn } from "./ports.ts";

/** It goes on beside the answer where it is too slow for the look-up: what it finds is kept. */
const deadlineMs = 5000;
/** Longer vectors are refused by the index. */
const mostDimensions = 4096;

export function similarEmbedder(
  model: string,
  turn: Pick<ValidatedTurn, "principal" | "tenant" | "requestId" | "traceparent" | "place">,
  deps: Pick<TurnDeps, "fleet" | "origin">,
  signal: LeaveSignal,
): Embedder {
  return {
    id: `fleet/${model}/${deps.fleet.version}`,
    // Known with the first vector: vectors of two models, or of two versions of the fleet, never meet.
    dimensions: 0,
    async embed(texts) {
      const plan = planModel(deps.fleet, turn.tenant, model, ["embeddings"], { principal: turn.principal });
      if (!plan.ok) return plan;
      const vectors: Float32Array[] = [];
      for (const text of texts) {
        const vector = await embedOne(text, plan.value[0], turn, deps, signal);
        if (!vector.ok) return vector;
        vectors.push(vector.value);
      }
      return ok(vectors);
    },
  };
}

async function embedOne(
  text: string,
  { model, variant }: Candidate,
  turn: Pick<ValidatedTurn, "principal" | "requestId" | "traceparent" | "place">,
  deps: Pick<TurnDeps, "origin">,
  signal: LeaveSignal,
): Promise<Result<Float32Array, Refusal>> {
  const { record } = variant;
  const input = neutraliseValue(text, tokenFamilyOf(record));
  const tokens = estimateTokens(text);
  const answer = await deps.origin.dispatch(
    {
      requestId: turn.requestId,
      traceparent: turn.traceparent,
      clusters: variant.clusters,
      model,
      path: "/v1/embeddings",
      body: buildEngineEmbeddingBody({ model, input }, record.served_name),
      stream: false,
      tenant: turn.principal.tenant,
      tier: turn.principal.tier,
      tokens,
      promptTokens: tokens,
      affinity: null,
      place: turn.place,
      deadlineMs,
    },
    signal,
  );
  if (!answer.ok) return answer;
  const vector = vectorOf(await textOf(answer.value));
  answer.value.report(vector === null ? "origin-error" : "done");
  return vector === null
    ? err({ kind: "origin-unavailable", retryAfterMs: 1000, detail: "no vector came" })
    : ok(vector);
}

async function textOf(answer: Parameters<typeof wholeText>[0]): Promise<string> {
  try {
    return await wholeText(answer);
  } catch {
    // Cut off: it is no JSON either, and is reported as such.
    return "";
  }
}

/** Of length 1. `null`: this is none. */
function vectorOf(text: string): Float32Array | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The caller reports it.
    return null;
  }
  const [first] = isRecord(value) && Array.isArray(value["data"]) ? (value["data"] as unknown[]) : [];
  const numbers = isRecord(first) ? first["embedding"] : null;
  if (!Array.isArray(numbers) || numbers.length === 0 || numbers.length > mostDimensions) return null;
  if (!numbers.every((one) => typeof one === "number" && Number.isFinite(one))) return null;
  const length = Math.hypot(...(numbers as number[]));
  return length === 0 ? null : Float32Array.from(numbers as number[], (one) => one / length);
}
