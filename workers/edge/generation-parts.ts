/** What a Generation object runs with: the same pipeline as the edge, and the delivery of an ended turn's effects. */
import { deliverAppend } from "../../durable-objects/conversation/deliver-append.ts";
import type { GenerationParts } from "../../durable-objects/generation/generation-parts.ts";
import type { ArchivedTurn } from "../../src/shared/archive/ports.ts";
import { type Background, backgroundOf } from "../../src/shared/contracts/background.ts";
import { tenantIdSchema } from "../../src/shared/contracts/ids.ts";
import type { Ground } from "../../src/shared/grounding/ground.ts";
import { retrievalWish } from "../../src/shared/grounding/retrieval-wish.ts";
import { microdollarsFor } from "../../src/shared/limits/cost.ts";
import { ChargeOwed, settleCharge } from "../../src/shared/limits/settle-charge.ts";
import { logLine } from "../../src/shared/telemetry/request-record.ts";
import { appendedTurn } from "../../src/shared/turn/durable/archive-effect.ts";
import { createChatRunner } from "../../src/shared/turn/durable/chat-runner.ts";
import type { ChatTurnRequest } from "../../src/shared/turn/durable/chat-turn-end.ts";
import { modelPrice } from "../../src/shared/turn/dearest-price.ts";
import { owingAtEveryEnd } from "../../src/shared/turn/durable/owed-at-every-end.ts";
import type { Delivery, Effect, EffectContext } from "../../src/shared/turn/durable/ports.ts";
import { tellCompletionIndex } from "./tell-completion-index.ts";
import { judgeAnswer } from "./fleet-moderator.ts";
import { groundFor } from "./grounding-parts.ts";
import { enterConversation } from "./enter-conversation.ts";
import { recallResponses } from "./recall-responses.ts";
import { toolBoxOf } from "./server-tools.ts";
import { isolateOf, type Isolate } from "./isolate.ts";
import { tendConversation } from "./tend-conversation.ts";
import { turnContent } from "./turn-content.ts";

export function generationParts(env: Cloudflare.Env, context: DurableObjectState): GenerationParts {
  const isolate = isolateOf(env);
  const background = backgroundOf(context, isolate.report);
  return {
    runner: owingAtEveryEnd(
      createChatRunner({
        turnDeps: async () => {
          const fleet = await isolate.fleet.current(background);
          return fleet.ok ? isolate.durableTurnDeps(fleet.value, background) : null;
        },
        recall: (request, behind) => recall(isolate, request, behind),
        openTools: (request) => toolBoxOf(isolate, request),
        ground: (request) => ground(isolate, request),
        record: (record) => {
          isolate.log.add(logLine(record), background, isolate.now());
          isolate.metrics.record(record, background);
        },
        judge: (turn, said) =>
          background.run(
            "moderation",
            judgeAnswer(isolate, turn, turn.asked.question().text, said, background),
          ),
        now: isolate.now,
        archives: isolate.archive.isOn,
        signReceipt: (claims) => isolate.receipts.sign(claims),
      }),
    ),
    deliver: (effect, context) => deliver(isolate, effect, context, background),
    report: (event, fields) => isolate.report("generation", `${event} ${JSON.stringify(fields)}`),
    content: turnContent(isolate, context.id),
  };
}

async function recall(isolate: Isolate, request: ChatTurnRequest, behind: string | null) {
  const { conversation, response } = request;
  if (conversation === null) {
    const recalled =
      response === undefined
        ? ({ ok: true, value: [] } as const)
        : await recallResponses(isolate, request, response);
    return { recalled, entered: null };
  }
  const loaded = await enterConversation(isolate.env, { ...request, conversation }, behind, historyTokens);
  if (!loaded.ok) return { recalled: loaded, entered: null };
  const { messages, ...entered } = loaded.value;
  return { recalled: { ok: true, value: messages } as const, entered };
}

function ground(
  isolate: Isolate,
  { chat, tenant, principal, response, requestId }: ChatTurnRequest,
): Ground | null {
  // A response names its stores in a tool: a tenant's default ones are of its chats.
  const asked = response === undefined ? chat.retrieval : (chat.retrieval ?? false);
  const wish = retrievalWish(asked, tenant);
  const owner = { tenant: tenant.id, user: principal.user };
  return wish === null ? null : groundFor(isolate, tenant, owner, wish, chat.messages, requestId);
}

/** The most that is loaded; compose trims it to the window of the model that answers. */
export const historyTokens = 131_072;

async function deliver(
  isolate: Isolate,
  effect: Effect,
  { turnId, listed }: EffectContext,
  background: Background,
): Promise<Delivery> {
  const { env } = isolate;
  switch (effect.kind) {
    case "append": {
      const delivery = await deliverAppend(env.CONVERSATION, env.ENVIRONMENT, effect, turnId);
      // The turn is saved, whatever becomes of this; and where it is delivered again, for the archive, its user does not pay again.
      const isNew = delivery.result === "acknowledged" && delivery.sequence !== undefined && !delivery.again;
      if (effect.chores !== undefined && isNew)
        background.run("tend a conversation", tendConversation(isolate, effect, background));
      const turn = appendedTurn(effect, delivery);
      return turn === null ? delivery : deliverTurn(isolate, turn, delivery);
    }
    case "archive":
      return deliverTurn(isolate, effect.turn, { result: "acknowledged" });
    case "settle":
      return settle(isolate, effect, background);
    case "list":
      return tellCompletionIndex(env, effect, listed());
    default:
      // Written before a roll-back. It waits for the code that knows it, and holds up none of the others.
      throw new Error(`an effect that this code does not know: ${String(Reflect.get(effect, "kind"))}`);
  }
}

/** Until the queue has it: what it is delivered behind may be delivered again. */
async function deliverTurn(isolate: Isolate, turn: ArchivedTurn, delivered: Delivery): Promise<Delivery> {
  const outcome = await isolate.archive.turn(turn);
  return outcome.result === "unreachable"
    ? { result: "retry", detail: `archive: ${outcome.detail}` }
    : delivered;
}

async function settle(
  isolate: Isolate,
  effect: Extract<Effect, { kind: "settle" }>,
  background: Background,
): Promise<Delivery> {
  const id = tenantIdSchema.safeParse(effect.tenant);
  if (!id.success) return { result: "acknowledged", detail: "no tenant to charge" };
  const tenant = await isolate.tenants.byId(id.data, background);
  if (!tenant.ok) return { result: "retry", detail: "the tenant's configuration can't be read" };
  if (tenant.value === null) return { result: "acknowledged", detail: "the tenant is gone" };
  const microdollars = await costOf(isolate, effect, background);
  if (microdollars === null) return { result: "retry", detail: "the fleet can't be read" };
  const { chargeId, org, user, tier, key = null, tokens, requests, model = null, owing } = effect;
  try {
    await settleCharge(
      isolate.callBucket,
      { chargeId, tenant: tenant.value, org, user, tier, key },
      { tokens, requests, microdollars, model },
      owing,
    );
  } catch (error) {
    if (!(error instanceof ChargeOwed)) throw error;
    return { result: "retry", detail: error.message, left: { ...effect, microdollars, owing: error.owing } };
  }
  return { result: "acknowledged" };
}

/** What the effect says; where it does not, the most that its tokens may have cost. */
async function costOf(
  isolate: Isolate,
  { microdollars = null, tokens, promptTokens = 0, model = null }: Extract<Effect, { kind: "settle" }>,
  background: Background,
): Promise<number | null> {
  if (microdollars !== null || tokens === 0 || model === null) return microdollars ?? 0;
  const fleet = await isolate.fleet.current(background);
  if (!fleet.ok) return null;
  return microdollarsFor(modelPrice(fleet.value, model), promptTokens, tokens - promptTokens);
}
