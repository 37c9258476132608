/** `POST /v1/chat/completions`: read ▸ validate ▸ asked before? ▸ files ▸ screen ▸ direct turn here, or durable turn in a Generation object. */
import { filesOfChat } from "../../../src/shared/attachments/chat-files.ts";
import { decideCaching, wantsOnlyStored } from "../../../src/shared/cache/cache-policy.ts";
import { withObjectField, type Refusal } from "../../../src/shared/contracts/refusal.ts";
import { ok, type Result } from "../../../src/shared/contracts/result.ts";
import { retrievalWish } from "../../../src/shared/grounding/retrieval-wish.ts";
import { askedChat } from "../../../src/shared/turn/asked-chat.ts";
import { turnClaim } from "../../../src/shared/turn/durable/turn-claim.ts";
import { screenChat } from "../../../src/shared/turn/screen-request.ts";
import { parseChatRequest, type ChatRequest } from "../../../src/shared/wire/chat-request.ts";
import { checkMedia } from "../../../src/shared/wire/media.ts";
import { messagesWithFiles } from "../attached-files.ts";
import { chatTools } from "../chat-tools.ts";
import { screenFor } from "../fleet-moderator.ts";
import type { TenantCall, TenantHandler } from "../handle.ts";
import { readJsonText } from "../read-body.ts";
import { respondRefusal } from "../respond.ts";
import { groundFor, unknownStore } from "../grounding-parts.ts";
import { answeredBefore, conversationField, ownerOf, runDurable, turnContextOf } from "../run-durable.ts";
import { runDirect } from "../run-direct.ts";

export const createChatCompletion: TenantHandler = async (call) => {
  const { scope, isolate } = call;
  const read = await readChat(call);
  scope.mark("validate");
  if (!read.ok) return respondRefusal(scope, read.error);
  const { text } = read.value;
  const files = filesOfChat(read.value.chat.messages);
  const sent = read.value.chat;
  const wish = retrievalWish(sent.retrieval, call.tenant);
  const key = call.c.req.raw.headers.get("idempotency-key");
  const mayShare = call.tenant.requests.dedup && wish === null && isAlwaysTheSame(call, sent);
  const claiming = turnClaim(isolate.hash, call.tenant, key, text, sent.conversation_id, mayShare);
  const claim = claiming instanceof Promise ? await claiming : claiming;
  if (!claim.ok) return respondRefusal(scope, claim.error);
  const before = await answeredBefore(call, sent, claim.value, files.length > 0);
  if (before !== null) return before;
  const messages =
    files.length === 0
      ? ok(sent.messages)
      : await messagesWithFiles(turnContextOf(call), sent.messages, files);
  if (files.length > 0) scope.mark("files");
  if (!messages.ok) return respondRefusal(scope, messages.error);
  const chat = files.length === 0 ? sent : { ...sent, messages: messages.value };
  const { conversation_id: conversationId, store } = chat;
  if (wish !== null) {
    const unknown = await unknownStore(isolate, ownerOf(call), wish);
    if (unknown !== null) return respondRefusal(scope, unknown);
  }
  const offering = chatTools(call.tenant, chat);
  if (offering?.ok === false) return respondRefusal(scope, offering.error);
  const toCome = { asked: askedChat(offering?.value.chat ?? chat), conversationId };
  const screened = await screenChat(chat, call.tenant, screenFor(call, toCome));
  scope.mark("screen");
  if (!screened.ok) return respondRefusal(scope, withObjectField(screened.error, conversationField(chat)));
  const { request, findings } = screened.value;
  if (findings !== null) scope.record.screened = findings;
  const tools = request === chat ? offering : chatTools(call.tenant, request);
  if (tools?.ok === false) return respondRefusal(scope, tools.error);
  const offered = tools?.value.offered ?? null;
  if (claim.value !== null || conversationId !== undefined || store === true || offered !== null) {
    if (!wantsOnlyStored(call.c.req.raw.headers.get("cache-control")))
      return runDurable(call, tools?.value.chat ?? request, claim.value, offered);
    // Whoever wants a stored answer or none begins no turn, and so has nothing that could be kept.
    if (store === true) return respondRefusal(scope, { kind: "not-stored" });
  }
  const { requestId } = scope.record;
  const ground =
    wish === null ? null : groundFor(isolate, call.tenant, ownerOf(call), wish, request.messages, requestId);
  return runDirect(call, askedChat(request), "chatcmpl-", ground);
};

/** Nothing is sampled or found out by tools, and the client does not ask for an answer of its own (`Cache-Control`). */
function isAlwaysTheSame({ c, tenant }: TenantCall, chat: ChatRequest): boolean {
  if (tenant.tools?.chat_completions === true) return false;
  const { cacheable } = askedChat(chat);
  const control = c.req.raw.headers.get("cache-control");
  if (cacheable === null) return false;
  const { lookup, maxAgeSeconds } = decideCaching(cacheable, "deterministic", control);
  return lookup && maxAgeSeconds === null;
}

interface ReadChat {
  readonly chat: ChatRequest;
  /** As it was sent: a retry is told by its bytes. */
  readonly text: string;
}

async function readChat({ c, tenant }: TenantCall): Promise<Result<ReadChat, Refusal>> {
  const text = await readJsonText(c.req.raw, tenant.requests.max_body_bytes);
  if (!text.ok) return text;
  const request = parseChatRequest(text.value);
  if (!request.ok) return request;
  const media = checkMedia(request.value, tenant.media);
  return media.ok ? ok({ chat: request.value, text: text.value }) : media;
}
