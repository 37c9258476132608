/**
 * What a client adds to a conversation without a turn, as items that may be kept: its media checked, its files read, and all of it screened as a
 * prompt is, since it will be part of one.
 */
import type { NewItem } from "../../src/shared/contracts/conversation.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import { checkItemMedia } from "../../src/shared/responses/to-chat.ts";
import { screenPrompt } from "../../src/shared/safety/screen-prompt.ts";
import { itemsOfMessages } from "../../src/shared/turn/durable/conversation-items.ts";
import { refusalAt, summary } from "../../src/shared/turn/screen-request.ts";
import type { SentItems } from "../../src/shared/wire/conversation-request.ts";
import { messagesWithFiles } from "./attached-files.ts";
import { screenFor } from "./fleet-moderator.ts";
import type { TenantCall } from "./handle.ts";
import { turnContextOf } from "./run-durable.ts";

/** Notes on the request's record what the screen found. */
export async function screenedItems(
  call: TenantCall,
  sent: SentItems,
): Promise<Result<readonly NewItem[], Refusal>> {
  const { scope, tenant } = call;
  const media = checkItemMedia(sent.items, "items", tenant.media);
  if (!media.ok) return media;
  const messages = await messagesWithFiles(turnContextOf(call), sent.messages, sent.files);
  if (!messages.ok) return messages;
  const screened = await screenPrompt(messages.value, tenant.safety, screenFor(call, null));
  if (screened.kind === "refused") return err(refusalAt(screened, () => "items"));
  const findings = summary(screened.findings, screened.harm);
  if (findings !== null) scope.record.screened = findings;
  return ok(itemsOfMessages(screened.messages));
}
