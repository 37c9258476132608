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
}

export interface Judged extends Verdict, Spent {
  /** The model's id in the fleet. */
  readonly model: string;
}

/** Why there is no verdict. */
export interface Unjudged {
  readonly refusal: Refusal;
  /** A guard read the text and answered other than a guard does: that is the text's doing, and what it cost. `null`: nobody answered. */
  readonly answered: Spent | null;
}

/** What asking for a verdict took. */
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

/** @param onUnreadable a guard has answered other than a guard does, and is asked once more */
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
 * A text can talk a guard out of its office: it answers the text, and not whether that is safe. Then it is asked once more, by an engine that
 * lets it say nothing but a verdict, which is what Llama Guard's own measure is: the likelier of its two words. What has none even so was read
 * all the same: whoever wrote it must gain nothing by that.
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
  // Where nobody answered (an engine that knows no such rule, or is down by now) the first answer stands.
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

/** @param bound it may say nothing but a verdict. How likely that was tells nothing then, and is not asked for */
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
    },
    signal,
  );
  if (!dispatched.ok) return err(unanswered(named(dispatched.error, composed.value)));
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
    return err(unanswered(noVerdict(answer, "the verdict is no JSON, or broke off")));
  }
  const choice = isRecord(value) && Array.isArray(value["choices"]) ? (value["choices"][0] as unknown) : null;
  const message = isRecord(choice) ? choice["message"] : null;
  if (!isRecord(value) || !isRecord(choice) || !isRecord(message))
    return err(unanswered(noVerdict(answer, "the guard's engine did not answer as a chat does")));
  // Whatever it says is no fault of its replica: breakers of a guard that all need would be its writer's to open.
  answer.report("done");
  const said = readEngineUsage(value["usage"]);
  const usage: Usage = {
    promptTokens: said?.promptTokens ?? promptTokens,
    completionTokens: said?.completionTokens ?? guardAnswerTokens,
    cachedTokens: said?.cachedTokens ?? 0,
    reasoningTokens: 0,
  };
  const spent: Spent = { usage, answer, model };
  // `null`: it thought, and came to no answer.
  const content = typeof message["content"] === "string" ? message["content"] : "";
  const scores = guardScores(content, chanceOfUnsafe(choice["logprobs"]));
  return scores === null ? err({ refusal: unreadable, answered: spent }) : ok({ ...spent, scores });
}

/** It would be answered so again: clients must not try again. It names no field yet. */
const unreadable: Refusal = {
  kind: "value-invalid",
  param: null,
  message: "is answered by the guard model, and not judged: change it, or have it judged in process",
};

function noVerdict(answer: OriginAnswer, detail: string): Refusal {
  answer.report("origin-error");
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
