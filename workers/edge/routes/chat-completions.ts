/** `POST /v1/chat/completions`: read ▸ validate ▸ direct turn here, or durable turn in a Generation object. */
import type { Refusal } from "../../../src/shared/contracts/refusal.ts";
import type { Result } from "../../../src/shared/contracts/result.ts";
import { askedChat } from "../../../src/shared/turn/asked-chat.ts";
import { screenChat } from "../../../src/shared/turn/screen-request.ts";
import { parseChatRequest, type ChatRequest } from "../../../src/shared/wire/chat-request.ts";
import { checkMedia } from "../../../src/shared/wire/media.ts";
import type { TenantCall, TenantHandler } from "../handle.ts";
import { readJsonText } from "../read-body.ts";
import { respondRefusal } from "../respond.ts";
import { runDurable } from "../run-durable.ts";
import { runDirect } from "../run-direct.ts";

export const createChatCompletion: TenantHandler = async (call) => {
  const { scope, isolate } = call;
  const read = await readChat(call);
  scope.mark("validate");
  if (!read.ok) return respondRefusal(scope, read.error);
  const screened = await screenChat(read.value, call.tenant, isolate.screen);
  scope.mark("screen");
  if (!screened.ok) return respondRefusal(scope, screened.error);
  const { request, findings } = screened.value;
  if (findings !== null) scope.record.screened = findings;
  const { conversation_id: conversationId } = request;
  if (conversationId !== undefined) return runDurable(call, request, conversationId);
  return runDirect(call, askedChat(request), "chatcmpl-");
};

async function readChat({ c, tenant }: TenantCall): Promise<Result<ChatRequest, Refusal>> {
  const text = await readJsonText(c.req.raw, tenant.requests.max_body_bytes);
  if (!text.ok) return text;
  const request = parseChatRequest(text.value);
  if (!request.ok) return request;
  const media = checkMedia(request.value, tenant.media);
  return media.ok ? request : media;
}
