/**
 * The port to a guard model (src/shared/safety/moderation/moderator.ts) over the fleet's own router: the alias that a tenant's moderation
 * names. A verdict is waited for as long as the policy says; none is reported and counted, never thrown.
 */
import type { Background } from "../../src/shared/contracts/background.ts";
import type { RequestId } from "../../src/shared/contracts/ids.ts";
import type { Principal } from "../../src/shared/identity/principal.ts";
import { estimateTokens } from "../../src/shared/prompt/token-estimate.ts";
import type { ClientPlace } from "../../src/shared/routing/ports.ts";
import type { Category } from "../../src/shared/safety/moderation/categories.ts";
import { flaggedBy } from "../../src/shared/safety/moderation/moderation-policy.ts";
import { halved, recent } from "../../src/shared/safety/moderation/moderate-prompt.ts";
import {
  type BeforeJudged,
  type JudgedMessage,
  type Judgement,
  type Moderator,
  unjudgeable,
  type Unreadable,
  type Verdict,
} from "../../src/shared/safety/moderation/moderator.ts";
import type { ScreenDeps } from "../../src/shared/safety/screen-prompt.ts";
import type { CounterLabels } from "../../src/shared/telemetry/metrics/metric-table.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import { judge, planGuard } from "../../src/shared/turn/judge.ts";
import { admissionFor, backgroundOf, mayChatForFree, refusedBeforeAdmission } from "./before-admission.ts";
import { JudgedAtOnce } from "./judged-at-once.ts";
import { refusedAnyway, type TurnToCome } from "./refused-anyway.ts";
import { guardOf } from "./judged-request.ts";
import type { TenantCall } from "./handle.ts";
import type { Isolate } from "./isolate.ts";
import { turnContextOf } from "./run-durable.ts";
import type { TurnContext } from "./start-turn.ts";

/** On whose behalf a guard is asked. */
export interface JudgedCaller {
  readonly principal: Principal;
  readonly tenant: TenantConfig;
  readonly requestId: RequestId;
  readonly traceparent: string;
  readonly place: ClientPlace;
}

/** What a prompt is screened with: the isolate's own, and the guard where this tenant's prompts are to meet one. */
export function screenFor(call: TenantCall, turn: TurnToCome | null): ScreenDeps {
  return guardOf(call.tenant) === null ? call.isolate.screen : screenFrom(turnContextOf(call), turn);
}

/** The same for a turn that comes from anywhere. @param turn that the prompt is of; `null`: no model is to answer it now */
export function screenFrom(from: TurnContext, turn: TurnToCome | null): ScreenDeps {
  const { isolate, principal, tenant, traceparent, place } = from;
  const alias = guardOf(tenant);
  if (alias === null) return isolate.screen;
  const background = backgroundOf(from);
  const caller = { principal, tenant, requestId: from.requestId as RequestId, traceparent, place };
  const before: BeforeAsking = {
    refused: async (judgements) => {
      const anyway = turn === null ? null : await refusedAnyway(from, turn, background);
      if (anyway !== null && anyway.refused !== null) return anyway.refused;
      return refusedBeforeAdmission(
        isolate,
        caller,
        {
          tokens: anyway?.leastTokens ?? leastTokens(judgements.flat()),
          mayBeFree: () => mayChatForFree(isolate, background),
        },
        () => admissionFor(from),
      );
    },
    asked: () => from.judged.asked(),
  };
  const moderator = fleetModerator(isolate, caller, alias, background, before);
  return { ...isolate.screen, moderator };
}

/** Of a prompt, whose turn was not admitted yet. */
interface BeforeAsking {
  /** `null`: the model may be asked. */
  readonly refused: (judgements: readonly Judgement[]) => Promise<BeforeJudged | null>;
  /** It is. */
  readonly asked: () => void;
}

/** @param before `null`: of a turn that was admitted */
function fleetModerator(
  isolate: Isolate,
  caller: JudgedCaller,
  alias: string,
  background: Background,
  before: BeforeAsking | null,
): Moderator {
  // The tenant's policy names the guard, so it may be one that the tenant's users can't ask; where prompts may go still holds.
  const tenant = { ...caller.tenant, models: { ...caller.tenant.models, allow: ["*"] } };
  const count = (result: CounterLabels<"guardVerdicts">): void =>
    isolate.metrics.count("guardVerdicts", result);
  /** @param heard takes each verdict as it comes */
  const ask = async (
    judgements: readonly Judgement[],
    signal: AbortSignal,
    heard: Heard,
  ): Promise<string | null> => {
    const fleet = await isolate.fleet.current(background);
    if (!fleet.ok) return fleet.error.kind;
    const deps = isolate.durableTurnDeps(fleet.value, background);
    const plan = planGuard(deps, tenant, alias, caller.principal);
    if (!plan.ok) return plan.error.kind;
    let asked = 0;
    let questions = judgements.length;
    const askAll = async (some: readonly Judgement[]): Promise<string | null> => {
      const faults = await Promise.all(some.map(askOne));
      return faults.find((fault) => fault !== null) ?? null;
    };
    const askOne = async (messages: Judgement): Promise<string | null> => {
      // Engines know no two requests of one name at once.
      const requestId = (asked === 0 ? caller.requestId : `${caller.requestId}-g${asked}`) as RequestId;
      asked += 1;
      const judging = { ...caller, tenant, messages, requestId, deadlineMs: longestMs };
      let retried = 0;
      const judged = await judge(judging, plan.value, deps, signal, () => {
        retried = 1;
        heard.unreadable += 1;
      });
      if (!judged.ok) {
        const { kind } = judged.error.refusal;
        // The text's doing as well: whoever wrote it must neither gain by that nor be told to try again.
        const parts = kind === "context-too-long" ? halved(messages) : null;
        if (parts === null) return kind;
        questions += parts.length - 1;
        if (questions <= mostQuestions) return askAll(parts);
        heard.unreadable += 1;
        return kind;
      }
      heard.unreadable -= retried;
      heard.verdict = worse(heard.verdict, judged.value);
      return null;
    };
    return askAll(judgements);
  };
  const moderator: Moderator = {
    async judge(judgements, budgetMs) {
      const refused = before === null ? null : await before.refused(judgements);
      if (refused !== null) return { refused };
      const leave = before === null ? () => undefined : atOnce.enter(caller);
      if (typeof leave !== "function") return { refused: leave };
      before?.asked();
      const controller = new AbortController();
      const late = Promise.withResolvers<"late">();
      const timer = setTimeout(() => {
        late.resolve("late");
        controller.abort();
      }, budgetMs);
      const heard: Heard = { verdict: null, unreadable: 0 };
      const asking = ask(judgements, controller.signal, heard)
        .catch((error: unknown) => String(error))
        .finally(leave);
      // It is registered: what goes on after its time belongs to this request alone.
      background.run("guard model", asking);
      const fault = await Promise.race([asking, late.promise]);
      clearTimeout(timer);
      const { verdict, unreadable } = heard;
      const isUnsafe = verdict !== null && verdict.scores.some((score) => score > 0);
      if (verdict !== null && fault === null) {
        count(isUnsafe ? "unsafe" : "safe");
        return verdict;
      }
      // Whatever became of the second question: a text that keeps a guard busy until its time is over gains nothing by it either.
      if (unreadable > 0) {
        isolate.report("guard model", `${alias}: it does not judge the text that it is shown`);
        count("unreadable");
        return { isUnreadable: true };
      }
      if (fault !== "late") isolate.report("guard model", `${alias}: ${fault}`);
      if (verdict === null) count(fault === "late" ? "late" : "failed");
      else count(isUnsafe ? "unsafe" : "partial");
      return isUnsafe ? { ...verdict, isPartial: true } : null;
    },
    note(judgements, known) {
      const noting = async (): Promise<void> => {
        const verdict = await moderator.judge(judgements, longestMs);
        if (verdict !== null && !("refused" in verdict))
          tellFound(isolate, caller, alias, "prompt", verdict, known, background);
      };
      background.run("guard model, of a prompt", noting());
    },
  };
  return moderator;
}

const longestMs = 25_000;

/**
 * About one prompt. 150,000 characters of two tokens each, judged in parts of a usual window: whatever somebody writes that has more has none
 * of it judged, and is refused.
 */
const mostQuestions = 52;

/** What came of a guard so far. */
interface Heard {
  verdict: Verdict | null;
  /** How many texts it has answered in place of judging, and not judged since, or can't take in. */
  unreadable: number;
}

function worse(one: Verdict | null, { scores, model }: Verdict): Verdict {
  return { scores: scores.map((score, at) => Math.max(score, one?.scores[at] ?? 0)), model };
}

/** Plain numbers of this isolate. */
const atOnce = new JudgedAtOnce();

/** What a model found that nothing hangs on: counted, and told in the log. @param alias who was asked @param known what was told before */
function tellFound(
  isolate: Isolate,
  { requestId, tenant }: JudgedCaller,
  alias: string,
  where: "prompt" | "answer",
  verdict: Verdict | Unreadable,
  known: readonly Category[],
  background: Background,
): void {
  const { moderation } = tenant.safety;
  if (moderation === undefined) return;
  const isRead = "scores" in verdict;
  const news: readonly string[] = isRead
    ? flaggedBy(verdict.scores, moderation).filter((category) => !known.includes(category))
    : [unjudgeable];
  if (news.length === 0) return;
  for (const category of news) isolate.metrics.count("safetyFindings", `${where}\n${category}`);
  const model = isRead ? verdict.model : alias;
  const line = { event: "moderation", requestId, tenant: tenant.id, model, [where]: news.join(" ") };
  isolate.log.add(JSON.stringify(line), background, isolate.now());
}

/** Where no model is to answer now. An estimate is twice the truth at the most. */
function leastTokens(messages: readonly JudgedMessage[]): number {
  return 1 + Math.floor(messages.reduce((sum, { content }) => sum + estimateTokens(content), 0) / 2);
}

/**
 * Judges an answer when it has ended, beside everything else. It was delivered: what is found is for the log and the metrics, and nobody
 * waits for it.
 */
export async function judgeAnswer(
  isolate: Isolate,
  caller: JudgedCaller,
  question: string,
  answer: string,
  background: Background,
): Promise<void> {
  const { moderation } = caller.tenant.safety;
  if (moderation === undefined || moderation.model === null || answer === "") return;
  const moderator = fleetModerator(isolate, caller, moderation.model, background, null);
  const messages = recent([
    { role: "user", content: question },
    { role: "assistant", content: answer },
  ]);
  const verdict = await moderator.judge([messages], longestMs);
  if (verdict === null || "refused" in verdict) return;
  tellFound(isolate, caller, moderation.model, "answer", verdict, [], background);
}
