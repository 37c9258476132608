/** The tools that the service itself runs for a tenant's chats, beside the client's. */
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { ok, type Result } from "../../src/shared/contracts/result.ts";
import { offerTools, type WithTools } from "../../src/shared/tools/offered-tools.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import type { ChatRequest } from "../../src/shared/wire/chat-request.ts";

/** `null`: this tenant's chats are offered none. Only where there is one answer are any. */
export function chatTools(
  { tools: policy }: TenantConfig,
  chat: ChatRequest,
): Result<WithTools, Refusal> | null {
  if (policy?.chat_completions !== true) return null;
  if ((chat.n ?? 1) > 1) return ok({ chat, offered: null });
  const { tool_choice: choice } = chat;
  const isFree = choice === undefined || choice === "auto" || choice === "required";
  const asked = { maxCalls: undefined, isFree, onlyRepeatable: true, webSearch: null };
  return offerTools(chat, policy, asked, (index) => `tools[${index}].function.name`);
}
