/**
 * A guard model of the fleet judges what somebody said: `plan ▸ compose ▸ dispatch ▸ read`. It answers in a few tokens, whole. Admits and
 * settles nothing: whoever asks for a client does (moderate.ts); under a tenant's policy the platform bears it, as it bears a shadow.
 */
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import type { RequestId } from "../contracts/ids.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { Usage } from "../contracts/usage.ts";
import type { Principal } from "../identity/principal.ts";
import type { ClientPlace, OriginAnswer, OriginOutcome } from "../routing/ports.ts";
import { wholeText } from "../routing/whole-text.ts";
import { guardScores, withoutFrame } from "../safety/moderation/llama-guard.ts";
import type { JudgedMessage, Verdict } from "../safety/moderation/moderator.ts";
import { readEngineUsage } from "../stream/wire-usage.ts";
import { isRecord } from "../wire/is-record.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import { askedChat } from "./asked-chat.ts";
import { planModel, type Candidate, type Plan } from "./plan.ts";
import type { TurnDeps } from "./ports.ts";
import { named } from "./refused-candidate.ts";

export interface Judging {
  readonly principal: Principal;
  readonly tenant: TenantConfig;
  readonly messages: readonly JudgedMessage[];
  readonly requestId: RequestId;
  readonly traceparent: string;
  readonly place: ClientPlace;
  readonly deadlineMs: number;
}

export interface Judged extends Verdict {
  readonly usage: Usage;
  readonly answer: OriginAnswer;
}

/** Why there is no verdict. */
export interface Unjudged {
  readonly refusal: Refusal;
  /** An engine took the text in and answered, if not as a guard does: a text can talk it out of its office. */
  readonly isAnswered: boolean;
}

/** `unsafe`, a line break and all fourteen hazards are under 60 tokens. */
export const guardAnswerTokens = 64;

export function planGuard(
  deps: Pick<TurnDeps, "fleet">,
  tenant: TenantConfig,
  alias: string,
  principal: Principal,
): Result<Plan, Refusal> {
  return planModel(deps.fleet, tenant, alias, ["moderation"], { principal });
}

export async function judge(
  judging: Judging,
  plan: Plan,
  deps: TurnDeps,
  signal: LeaveSignal,
): Promise<Result<Judged, Unjudged>> {
  let unjudged = unasked({ kind: "internal", detail: "a plan without candidates" });
  for (const candidate of plan) {
    const judged = await askCandidate(judging, candidate, deps, signal);
    if (judged.ok) return judged;
    unjudged = judged.error;
    const { kind } = unjudged.refusal;
    if (kind !== "origin-unavailable" && kind !== "overloaded") break;
  }
  return err(unjudged);
}

function unasked(refusal: Refusal): Unjudged {
  return { refusal, isAnswered: false };
}

async function askCandidate(
  judging: Judging,
  { model, variant }: Candidate,
  deps: TurnDeps,
  signal: LeaveSignal,
): Promise<Result<Judged, Unjudged>> {
  const { record } = variant;
  const salt = deps.cacheSalt(judging.tenant.id);
  const tells = record.engine_features.sampling_fields;
  const asked = askedChat({
    model,
    messages: judging.messages.map(({ role, content }) => ({ role, content: withoutFrame(content) })),
    max_completion_tokens: guardAnswerTokens,
    temperature: 0,
    ...(tells ? { logprobs: true } : {}),
  });
  const composed = asked.compose({
    history: [],
    defaultSystemPrompt: null,
    model: record,
    estimateRatio: deps.calibration.ratio(judging.tenant.id, model),
    stream: false,
    cacheSalt: typeof salt === "string" ? salt : await salt,
    affinitySeed: null,
    spotlight: null,
    passages: null,
  });
  if (!composed.ok) return err(unasked(composed.error));
  const { path, body, promptTokens, maxTokens } = composed.value;
  const dispatched = await deps.origin.dispatch(
    {
      requestId: judging.requestId,
      traceparent: judging.traceparent,
      clusters: variant.clusters,
      model,
      path,
      body,
      stream: false,
      tenant: judging.principal.tenant,
      tier: judging.principal.tier,
      tokens: promptTokens + maxTokens,
      promptTokens,
      affinity: null,
      place: judging.place,
      deadlineMs: judging.deadlineMs,
    },
    signal,
  );
  if (!dispatched.ok) return err(unasked(named(dispatched.error, composed.value)));
  return readVerdict(dispatched.value, model, promptTokens);
}

/** Tells of the replica how it ended. */
export async function readVerdict(
  answer: OriginAnswer,
  model: string,
  promptTokens: number,
): Promise<Result<Judged, Unjudged>> {
  let value: unknown;
  try {
    value = JSON.parse(await wholeText(answer));
  } catch {
    return err(unasked(noVerdict(answer, "the verdict is no JSON, or broke off")));
  }
  const choice = isRecord(value) && Array.isArray(value["choices"]) ? (value["choices"][0] as unknown) : null;
  const message = isRecord(choice) ? choice["message"] : null;
  const content = isRecord(message) ? message["content"] : null;
  const scores =
    typeof content === "string" && isRecord(choice)
      ? guardScores(content, chanceOfUnsafe(choice["logprobs"]))
      : null;
  if (scores === null || !isRecord(value)) {
    // A text that talks it out of its office is no fault of its replica: breakers of a guard that all need would be its writer's to open.
    const outcome = typeof content === "string" ? "done" : "origin-error";
    const refusal = noVerdict(answer, "the model did not answer as a guard does", outcome);
    return err({ refusal, isAnswered: true });
  }
  answer.report("done");
  const said = readEngineUsage(value["usage"]);
  const usage: Usage = {
    promptTokens: said?.promptTokens ?? promptTokens,
    completionTokens: said?.completionTokens ?? guardAnswerTokens,
    cachedTokens: said?.cachedTokens ?? 0,
    reasoningTokens: 0,
  };
  return ok({ scores, model, usage, answer });
}

function noVerdict(answer: OriginAnswer, detail: string, outcome: OriginOutcome = "origin-error"): Refusal {
  answer.report(outcome);
  return { kind: "origin-unavailable", retryAfterMs: 1000, detail };
}

/** OpenAI's `logprobs` of a choice: the chance of the token that begins the word. `null`: it is not told. */
function chanceOfUnsafe(logprobs: unknown): number | null {
  const tokens = isRecord(logprobs) ? logprobs["content"] : null;
  if (!Array.isArray(tokens)) return null;
  for (const token of tokens as readonly unknown[]) {
    if (!isRecord(token) || typeof token["token"] !== "string" || typeof token["logprob"] !== "number")
      return null;
    const word = token["token"].trim();
    // Some answers begin with empty lines.
    if (word === "") continue;
    return word.startsWith("un") ? Math.exp(Math.min(0, token["logprob"])) : null;
  }
  return null;
}
