/**
 * Which of a tenant's tools is the model of this request shown, beside the client's own functions? Loaded by the first request of a
 * tenant that has any.
 */
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { ChatRequest } from "../wire/chat-request.ts";
import { invalidValue, unsupportedParameter } from "../wire/zod-refusal.ts";
import { calculator } from "./calculator/calculator.ts";
import type { ServerTool } from "./server-tool.ts";
import { webSearchDefinition, type WebSearchWish } from "./web-search/web-search-tool.ts";
import { sqlDefinition } from "./sql/definition.ts";
import { isRepeatable, type ToolPolicy } from "./tool-policy.ts";

/** What a turn carries of them: the names that were offered, by which its calls are known. */
export interface OfferedTools {
  readonly names: readonly string[];
  /** `max_tool_calls` of the request, where that is less than the policy's. */
  readonly maxCalls: number;
  /** Where the client asked for `web_search`: how. */
  readonly webSearch?: WebSearchWish;
}

export interface WithTools {
  readonly chat: ChatRequest;
  /** `null`: none is offered. */
  readonly offered: OfferedTools | null;
}

type Definition = Pick<ServerTool, "name" | "description" | "parameters">;

/** The definitions for the model, in the order of the configuration. */
function definitionsOf(policy: ToolPolicy, onlyRepeatable: boolean): readonly Definition[] {
  const http = onlyRepeatable ? policy.http.filter(isRepeatable) : policy.http;
  return [...(policy.calculator ? [calculator] : []), ...http, ...sqlDefinitions(policy)];
}

function sqlDefinitions({ sql }: ToolPolicy): readonly Definition[] {
  return sql === null ? [] : [sqlDefinition(sql)];
}

export interface AskedTools {
  /** `max_tool_calls`. */
  readonly maxCalls: number | undefined;
  /** Whether the client left it to the model which tools it calls. */
  readonly isFree: boolean;
  /** Their calls leave no trace in the journal, so only tools that may be called twice are offered. */
  readonly onlyRepeatable?: boolean;
  /** The client's `web_search` tool; `null`: it has none. Only with it is the web searched. */
  readonly webSearch: { readonly wish: WebSearchWish; readonly param: string } | null;
}

/**
 * Where the client says which tools may be called, or that none may, nothing of ours is added: a choice that it did not know of
 * is none.
 *
 * @param clientTools where the client's own tools stand in its body, by their place in `chat.tools`
 */
export function offerTools(
  chat: ChatRequest,
  policy: ToolPolicy,
  asked: AskedTools,
  paramOf: (index: number) => string,
): Result<WithTools, Refusal> {
  const { webSearch } = asked;
  if (webSearch !== null && policy.web_search === null) return err(noWebSearch(webSearch.param));
  const definitions = [
    ...definitionsOf(policy, asked.onlyRepeatable === true),
    ...(webSearch === null ? [] : [webSearchDefinition]),
  ];
  const names = new Set(definitions.map(({ name }) => name));
  const clash = chat.tools?.findIndex((tool) => names.has(tool.function.name)) ?? -1;
  if (clash !== -1)
    return err(
      invalidValue(paramOf(clash), "is the name of a tool that this service runs itself: choose another"),
    );
  if (!asked.isFree || names.size === 0) return ok({ chat, offered: null });
  const tools = definitions.map(({ name, description, parameters }) => ({
    type: "function" as const,
    function: { name, description, parameters },
  }));
  return ok({
    chat: { ...chat, tools: [...(chat.tools ?? []), ...tools] },
    offered: {
      names: [...names],
      maxCalls: Math.min(policy.max_calls, asked.maxCalls ?? policy.max_calls),
      ...(webSearch === null ? {} : { webSearch: webSearch.wish }),
    },
  });
}

export function noWebSearch(param: string): Refusal {
  return unsupportedParameter(param, "can't be 'web_search', which is not set up here: use function tools");
}
