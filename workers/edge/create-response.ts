/**
 * From a checked request for a response to its started turn, or to the one that it asks for again: the items that it names ▸ media ▸ files ▸ earlier responses ▸ tools ▸ screen
 * ▸ chat ▸ start. It knows nothing of HTTP, since a message on a socket creates a response as well.
 */
import { filesOfInput, withInputTexts } from "../../src/shared/attachments/response-files.ts";
import type { Follow } from "../../src/shared/contracts/generation.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import { retrievalWish } from "../../src/shared/grounding/retrieval-wish.ts";
import { askedResponse } from "../../src/shared/responses/asked-response.ts";
import { itemId } from "../../src/shared/responses/item.ts";
import { echoOf } from "../../src/shared/responses/response-object.ts";
import { screenResponse } from "../../src/shared/responses/screen-items.ts";
import { latestOf, rememberedLimits } from "../../src/shared/responses/remembered.ts";
import {
  isKept,
  isOfConversation,
  type ResponseTurn,
  storedInput,
  storedItems,
} from "../../src/shared/responses/stored-response.ts";
import { chatOf, checkItemMedia } from "../../src/shared/responses/to-chat.ts";
import type { ToolPolicy } from "../../src/shared/tools/tool-policy.ts";
import { noWebSearch, offerTools, type WithTools } from "../../src/shared/tools/offered-tools.ts";
import type { TurnClaim } from "../../src/shared/turn/durable/turn-claim.ts";
import { turnPolicy } from "../../src/shared/turn/durable/turn-request.ts";
import type { WebSearchWish } from "../../src/shared/tools/web-search/web-search-tool.ts";
import { functionsOf, isWebSearchTool, type ResponseTool } from "../../src/shared/wire/responses-tools.ts";
import {
  conversationOf,
  type ResponseRequest,
  type SentResponseRequest,
} from "../../src/shared/wire/responses-request.ts";
import { invalidValue } from "../../src/shared/wire/zod-refusal.ts";
import { attachTurn, mayBeThere } from "./attach-turn.ts";
import { readAttachedFiles } from "./attached-files.ts";
import { screenFrom } from "./fleet-moderator.ts";
import { unknownStore } from "./grounding-parts.ts";
import { startTurn, type TurnContext, type TurnStarted } from "./start-turn.ts";
import { retrieveTurn } from "./stored-turn.ts";
import { withNamedItems } from "./named-items.ts";

/** One more than are read back, to show that something would be left out. */
const mostAncestors = rememberedLimits.responses + 1;
/** How long a response that is not stored stays for readers that have not reached its end. */
const unkeptMs = 60_000;

export interface Creation {
  readonly started: TurnStarted;
  /** What the screen found, for the log. */
  readonly findings: string | null;
}

export async function createResponse(
  from: TurnContext,
  sent: SentResponseRequest,
  claim: TurnClaim | null,
  follow: Follow,
  onNamed?: (responseId: string) => void,
): Promise<Result<Creation, Refusal>> {
  const { tenant } = from;
  const kept = sent.store !== false;
  const policy = turnPolicy(tenant, kept, claim?.keptMs ?? (kept ? null : unkeptMs));
  if (mayBeThere(claim, tenant, bringsFiles(sent))) {
    const before = await attachTurn(from, { kind: "response", claim, policy, follow, onNamed });
    if (!before.ok) return before;
    if (before.value !== null) return ok({ started: before.value, findings: null });
  }
  const whole = await wholeRequest(from, sent);
  if (!whole.ok) return whole;
  const asked = whole.value;
  const conversationId = conversationOf(asked);
  const going = await goesOnFrom(from, asked);
  if (!going.ok) return going;
  const offering = chatWithTools(tenant, asked);
  if (!offering.ok) return offering;
  const wish = retrievalWish(offering.value.chat.retrieval ?? false, tenant);
  const unknown =
    wish === null
      ? null
      : await unknownStore(from.isolate, { tenant: tenant.id, user: from.principal.user }, wish);
  if (unknown !== null) return err(unknown);
  const toCome = { asked: askedResponse(offering.value.chat, going.value), conversationId };
  const screened = await screenResponse(asked, tenant, screenFrom(from, toCome));
  if (!screened.ok) return screened;
  const { request, findings } = screened.value;
  const asking = request === asked ? offering : chatWithTools(tenant, request);
  if (!asking.ok) return asking;
  const { chat, offered } = asking.value;
  const started = await startTurn(from, {
    kind: "response",
    chat,
    tools: offered,
    conversationId,
    claim,
    screened: findings,
    policy,
    follow,
    onNamed,
    response: (objectName) => ({
      objectName,
      echo: echoOf(request),
      background: request.background === true,
      ...(request.include?.includes("file_search_call.results") === true ? { showsResults: true } : {}),
      input: request.input.map((item, at) => ({ id: itemId(item.type, objectName, "i", at), ...item })),
      ...going.value,
    }),
  });
  return started.ok ? ok({ started: started.value, findings }) : started;
}

function bringsFiles({ input }: SentResponseRequest): boolean {
  return filesOfInput(input.filter((item) => item.type !== "item_reference")).length > 0;
}

/** The request with the items that it names and the texts of its files. */
export async function wholeRequest(
  from: TurnContext,
  sent: SentResponseRequest,
): Promise<Result<ResponseRequest, Refusal>> {
  const whole = await withNamedItems(from, sent);
  if (!whole.ok) return whole;
  const request = whole.value;
  const media = checkItemMedia(request.input, "input", from.tenant.media);
  if (!media.ok) return media;
  const files = filesOfInput(request.input);
  if (files.length === 0) return ok(request);
  const texts = await readAttachedFiles(from, files);
  return texts.ok ? ok({ ...request, input: withInputTexts(request.input, texts.value) }) : texts;
}

type GivenTools = Result<WithTools, Refusal>;

/** The request as a chat, with the tools that the service itself runs for this tenant. A plain value if there are none. */
export function chatWithTools(
  { tools: policy }: Pick<TurnContext["tenant"], "tools">,
  request: ResponseRequest,
): GivenTools {
  if (policy !== null || request.tools?.some(isWebSearchTool) === true) return given(policy, request);
  return ok({ chat: chatOf(request), offered: null });
}

function given(policy: ToolPolicy | null, request: ResponseRequest): GivenTools {
  const { tools = [], tool_choice: choice, max_tool_calls: maxCalls } = request;
  const search = tools.findIndex(isWebSearchTool);
  if (policy === null) return err(noWebSearch(`tools[${search}].type`));
  const isFree = choice === undefined || choice === "auto" || choice === "required";
  const webSearch = search === -1 ? null : { wish: wishOf(tools[search]), param: `tools[${search}].type` };
  const places = functionsOf(tools);
  return offerTools(
    chatOf(request),
    policy,
    { maxCalls, isFree, webSearch },
    (index) => `${places[index]?.param ?? "tools[0]"}.name`,
  );
}

function wishOf(tool: ResponseTool | undefined): WebSearchWish {
  if (tool === undefined || !isWebSearchTool(tool)) return { domains: [], size: "medium" };
  return { domains: tool.filters?.allowed_domains ?? [], size: tool.search_context_size ?? "medium" };
}

/** The responses before this one, and whether the oldest may be left out. */
type GoingOn = Pick<ResponseTurn, "truncates" | "ancestors" | "before">;

/** The history of such a response is its conversation: continuing from its id alone would silently drop it. */
const ofConversation = invalidValue(
  "previous_response_id",
  "names a response of a conversation, which knows what was said before it: send that 'conversation' in its place",
);

/**
 * A previous response that is unknown, another's, deleted or no longer kept is refused in the same words. What is not kept goes on in what
 * is not kept either, and in nothing else: so a chain of such responses knows of its beginning, and no trace of it stays.
 */
export async function goesOnFrom(
  from: TurnContext,
  request: ResponseRequest,
): Promise<Result<GoingOn, Refusal>> {
  const { previous_response_id: previous, store, truncation } = request;
  const truncates = conversationOf(request) === undefined ? truncation === "auto" : truncation !== "disabled";
  if (previous === undefined) return ok({ truncates, ancestors: [] });
  const retrieved = await retrieveTurn(from, "response", previous);
  if (!retrieved.ok) return retrieved;
  if (retrieved.value.result === "running")
    return err({
      kind: "conflict",
      message: "The previous response is still being written. Wait for its end, or cancel it.",
    });
  const { response } = retrieved.value;
  if (response === null) return err({ kind: "object-unknown" });
  if (isOfConversation(response)) return err(ofConversation);
  const { ancestors } = storedInput(response);
  if (store !== false || isKept(response))
    return ok({ truncates, ancestors: [...ancestors, previous].slice(-mostAncestors) });
  const items = storedItems(response);
  return ok({ truncates, ancestors, before: truncates ? latestOf(items) : items });
}
