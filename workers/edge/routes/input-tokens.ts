/** `POST /v1/responses/input_tokens`: read ▸ validate ▸ screen ▸ what it goes on from ▸ count. Nothing is generated or kept. */
import { loadHistory } from "../../../durable-objects/conversation/load-history.ts";
import type { Refusal } from "../../../src/shared/contracts/refusal.ts";
import { err, type Result } from "../../../src/shared/contracts/result.ts";
import { groundingTold, isComplete, type Grounding } from "../../../src/shared/grounding/ground.ts";
import { retrievalWish } from "../../../src/shared/grounding/retrieval-wish.ts";
import { rateLimitHeaders } from "../../../src/shared/limits/limit-headers.ts";
import { askedResponse } from "../../../src/shared/responses/asked-response.ts";
import { askedResponseRefusal } from "../../../src/shared/responses/response-refusal.ts";
import { screenResponse } from "../../../src/shared/responses/screen-items.ts";
import { chatOf } from "../../../src/shared/responses/to-chat.ts";
import { randomHex } from "../../../src/shared/telemetry/correlation.ts";
import { serverTiming } from "../../../src/shared/telemetry/request-record.ts";
import { resolveConversation } from "../../../src/shared/turn/conversation-name.ts";
import { countInput, type CountedInput } from "../../../src/shared/turn/count-input.ts";
import { keepsTools } from "../../../src/shared/turn/offers-tools.ts";
import type { Recalled } from "../../../src/shared/turn/ports.ts";
import { parseInputTokensRequest } from "../../../src/shared/wire/input-tokens-request.ts";
import { conversationOf, type SentResponseRequest } from "../../../src/shared/wire/responses-request.ts";
import { chatWithTools, goesOnFrom, wholeRequest } from "../create-response.ts";
import { historyTokens } from "../generation-parts.ts";
import { groundFor, unknownStore } from "../grounding-parts.ts";
import type { TenantCall, TenantHandler } from "../handle.ts";
import { readJsonText } from "../read-body.ts";
import { recallResponses } from "../recall-responses.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import { turnContextOf, ownerOf } from "../run-durable.ts";
import { turnOf } from "../turn-of.ts";
import { WholeNotes } from "../whole-notes.ts";

export const countInputTokens: TenantHandler = async (call) => {
  const { c, scope, tenant } = call;
  const text = await readJsonText(c.req.raw, tenant.requests.max_body_bytes);
  const request = text.ok ? parseInputTokensRequest(text.value) : text;
  scope.mark("validate");
  if (!request.ok) return respondRefusal(scope, request.error);
  const counted = await countOf(call, request.value);
  if (!counted.ok) return respondRefusal(scope, askedResponseRefusal(counted.error, request.value));
  const { tokens, basis, model, reservation, grounding } = counted.value;
  scope.record.model = model;
  const retrieval = grounding === null ? {} : { retrieval: countedPassages(grounding) };
  return respondJson(
    scope,
    { object: "response.input_tokens", input_tokens: tokens, edgewise: { basis, ...retrieval } },
    {
      "server-timing": serverTiming(
        scope.record.stages,
        grounding === null ? undefined : groundingTold(grounding),
      ),
      ...rateLimitHeaders(reservation.standing),
    },
  );
};

/** `complete`: all that was found is counted, and nothing may be missing that the same response would find. */
function countedPassages(grounding: Grounding): object {
  return { passages: grounding.passages.length, complete: isComplete(grounding) };
}

/** As the same response would be asked for: what the screen masks is counted masked. */
async function countOf(call: TenantCall, sent: SentResponseRequest): Promise<Result<CountedInput, Refusal>> {
  const { tenant, isolate, scope } = call;
  const whole = await wholeRequest(turnContextOf(call), sent);
  if (!whole.ok) return whole;
  const asked = whole.value;
  // In process: no model reads it, so no guard model need be asked for it, at nobody's expense.
  const screened = await screenResponse(asked, tenant, isolate.screen);
  if (!screened.ok) return screened;
  const { request, findings } = screened.value;
  if (findings !== null) scope.record.screened = findings;
  const going = await goesOnFrom(turnContextOf(call), { ...request, store: false });
  if (!going.ok) return going;
  const given = chatWithTools(tenant, request);
  if (!given.ok) return given;
  const { offered, chat } = given.value;
  const wish = retrievalWish(chat.retrieval ?? false, tenant);
  const unknown = wish === null ? null : await unknownStore(isolate, ownerOf(call), wish);
  if (unknown !== null) return err(unknown);
  const fleet = await isolate.fleet.current(scope.background);
  if (!fleet.ok) return fleet;
  const isKept = offered === null || keepsTools(fleet.value, tenant, chat, offered);
  const id = `tok-${randomHex(16)}`;
  const { note } = new WholeNotes(isolate, scope, (row) => isolate.directRows.add(row, scope.background));
  const conversation = conversationOf(request);
  const turn = turnOf(call, id);
  return countInput(
    {
      ...turn,
      asked: askedResponse(isKept ? chat : chatOf(request), going.value),
      recall: () =>
        conversation === undefined
          ? recallResponses(isolate, call, going.value)
          : recallConversation(call, conversation),
      ground:
        wish === null
          ? null
          : groundFor(isolate, tenant, ownerOf(call), wish, chat.messages, scope.correlation.requestId),
    },
    { ...isolate.turnDeps(fleet.value, scope.background), ledger: note },
    call.client,
  );
}

async function recallConversation(call: TenantCall, id: string): Promise<Recalled> {
  const { isolate, tenant } = call;
  const owner = ownerOf(call);
  const conversation = await resolveConversation(isolate.hash, id, owner);
  if (conversation === null) return { ok: false, error: { kind: "object-unknown" } };
  const { env } = isolate;
  const loaded = await loadHistory(env.CONVERSATION, env.ENVIRONMENT, {
    conversation,
    owner,
    jurisdiction: tenant.jurisdiction,
    limitTokens: historyTokens,
  });
  if (loaded.ok) return { ok: true, value: loaded.value.messages };
  // Who only reads stands in no queue.
  if (loaded.error.kind === "conversation-busy") throw new Error("a reader was told to wait");
  return { ok: false, error: loaded.error };
}
