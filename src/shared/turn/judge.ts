/**
 * A guard model of the fleet judges a text: `plan ▸ compose ▸ dispatch ▸ read`. Its answer is a few tokens and not streamed. Nothing is
 * admitted or settled here: for a client's own request moderate.ts does it; under a tenant's policy the platform bears the cost, as it does
 * for a shadow.
 */
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import type { RequestId } from "../contracts/ids.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { Usage } from "../contracts/usage.ts";
import type { Principal } from "../identity/principal.ts";
import type { ClientPlace, OriginAnswer } from "../routing/ports.ts";
import { wholeText } from "../routing/whole-text.ts";
import { guardScores, verdictPattern, withoutFrame } from "../safety/moderation/llama-guard.ts";
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
  /** No client waits for the verdict: it takes only spare capacity. */
  readonly yields?: boolean;
}

export interface Judged extends Verdict, Spent {
  /** The model's id in the fleet. */
  readonly model: string;
}

/** Why there is no verdict. */
export interface Unjudged {
  readonly refusal: Refusal;
  /**
   * What it cost, where a guard read the text and answered something that is no verdict, which is the text's doing. `null`: nobody
   * answered.
   */
  readonly answered: Spent | null;
}

/** What asking for a verdict cost. */
export interface Spent {
  readonly usage: Usage;
  readonly answer: OriginAnswer;
  readonly model: string;
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

/** @param onUnreadable called when a guard's answer is no verdict; it is then asked once more */
export async function judge(
  judging: Judging,
  plan: Plan,
  deps: TurnDeps,
  signal: LeaveSignal,
  onUnreadable: () => void = () => undefined,
): Promise<Result<Judged, Unjudged>> {
  let unjudged = unanswered({ kind: "internal", detail: "a plan without candidates" });
  for (const candidate of plan) {
    const judged = await judgeBy(judging, candidate, deps, signal, onUnreadable);
    if (judged.ok) return judged;
    unjudged = judged.error;
    const { kind } = unjudged.refusal;
    if (kind !== "origin-unavailable" && kind !== "overloaded") break;
  }
  return err(unjudged);
}

function unanswered(refusal: Refusal): Unjudged {
  return { refusal, answered: null };
}

/**
 * A text can make a guard answer it in place of judging it. The guard is then asked once more with its output constrained to a verdict,
 * which is Llama Guard's own measure: the likelier of its two words. If there is no verdict even then, the text still counts as read, so
 * that its author gains nothing.
 */
async function judgeBy(
  judging: Judging,
  candidate: Candidate,
  deps: TurnDeps,
  signal: LeaveSignal,
  onUnreadable: () => void,
): Promise<Result<Judged, Unjudged>> {
  const freely = await askCandidate(judging, candidate, deps, signal, false);
  if (freely.ok || freely.error.answered === null) return freely;
  onUnreadable();
  const { refusal, answered } = freely.error;
  const bound = await askCandidate(judging, candidate, deps, signal, true);
  if (bound.ok) return ok({ ...bound.value, usage: sum(answered.usage, bound.value.usage) });
  const again = bound.error.answered;
  // If that got no answer (the engine knows no such rule, or is down by now), the first one stands.
  return err({
    refusal,
    answered: again === null ? answered : { ...again, usage: sum(answered.usage, again.usage) },
  });
}

function sum(one: Usage, other: Usage): Usage {
  return {
    promptTokens: one.promptTokens + other.promptTokens,
    completionTokens: one.completionTokens + other.completionTokens,
    cachedTokens: one.cachedTokens + other.cachedTokens,
    reasoningTokens: one.reasoningTokens + other.reasoningTokens,
  };
}

/** @param bound its output is constrained to a verdict. The verdict's probability then means nothing, and is not asked for */
async function askCandidate(
  judging: Judging,
  { model, variant }: Candidate,
  deps: TurnDeps,
  signal: LeaveSignal,
  bound: boolean,
): Promise<Result<Judged, Unjudged>> {
  const { record } = variant;
  const salt = deps.cacheSalt(judging.tenant.id);
  const tells = record.engine_features.sampling_fields;
  const asked = askedChat({
    model,
    messages: judging.messages.map(({ role, content }) => ({ role, content: withoutFrame(content) })),
    max_completion_tokens: guardAnswerTokens,
    temperature: 0,
    ...(bound ? { structured_outputs: { regex: verdictPattern } } : tells ? { logprobs: true } : {}),
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
  if (!composed.ok) return err(unanswered(composed.error));
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
      ...(judging.yields === true ? { yields: true as const } : {}),
    },
    signal,
  );
  if (!dispatched.ok) return err(unanswered(named(dispatched.error, composed.value)));
  return readVerdict(dispatched.value, model, promptTokens);
}

/** Reports to the router how the attempt ended. */
export async function readVerdict(
  answer: OriginAnswer,
  model: string,
  promptTokens: number,
): Promise<Result<Judged, Unjudged>> {
  let value: unknown;
  try {
    value = JSON.parse(await wholeText(answer));
  } catch {
    return err(unanswered(noVerdict(answer, "the verdict is no JSON, or broke off")));
  }
  const choice = isRecord(value) && Array.isArray(value["choices"]) ? (value["choices"][0] as unknown) : null;
  const message = isRecord(choice) ? choice["message"] : null;
  if (!isRecord(value) || !isRecord(choice) || !isRecord(message))
    return err(unanswered(noVerdict(answer, "the guard's engine did not answer as a chat does")));
  // No answer counts as its replica's fault: otherwise the author of one text could open the breakers of a guard that everybody needs.
  answer.report("done");
  const said = readEngineUsage(value["usage"]);
  const usage: Usage = {
    promptTokens: said?.promptTokens ?? promptTokens,
    completionTokens: said?.completionTokens ?? guardAnswerTokens,
    cachedTokens: said?.cachedTokens ?? 0,
    reasoningTokens: 0,
  };
  const spent: Spent = { usage, answer, model };
  // `null`: it reasoned and gave no answer.
  const content = typeof message["content"] === "string" ? message["content"] : "";
  const scores = guardScores(content, chanceOfUnsafe(choice["logprobs"]));
  return scores === null ? err({ refusal: unreadable, answered: spent }) : ok({ ...spent, scores });
}

/** The guard would answer the same way again, so clients must not retry. It names no field yet. */
const unreadable: Refusal = {
  kind: "value-invalid",
  param: null,
  message: "is answered by the guard model, and not judged: change it, or have it judged in process",
};

function noVerdict(answer: OriginAnswer, detail: string): Refusal {
  answer.report("origin-error");
  return { kind: "origin-unavailable", retryAfterMs: 1000, detail };
}

/** OpenAI's `logprobs` of a choice: the probability of the token that begins the word. `null`: the engine does not give it. */
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
