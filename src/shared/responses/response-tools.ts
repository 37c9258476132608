/**
 * What do a response's tools mean in chat's words? Functions are the engine's; `file_search` is searched before the engine is asked,
 * and is a chat's `retrieval`. So wherever a call is demanded, the search is one.
 */
import type { SentChatRequest } from "../wire/chat-request.ts";
import type { ResponseRequest } from "../wire/responses-request.ts";
import { functionsOf, type FunctionTool } from "../wire/responses-tools.ts";
import type { AskedRetrieval } from "../wire/retrieval-fields.ts";

export interface ChatTools {
  /** Absent: none. */
  readonly tools: readonly FunctionTool[] | undefined;
  readonly choice: SentChatRequest["tool_choice"];
  readonly retrieval: AskedRetrieval | null;
}

export function chatTools({ tools, tool_choice: choice }: ResponseRequest): ChatTools {
  const search = tools?.find((tool) => tool.type === "file_search");
  if (tools === undefined || search === undefined)
    return {
      tools: tools === undefined ? undefined : flatFunctions(tools),
      choice: functionChoice(choice),
      retrieval: null,
    };
  const functions = flatFunctions(tools);
  const { type: _search, ...retrieval } = search;
  return {
    tools: functions.length === 0 ? undefined : functions,
    choice: functions.length === 0 ? undefined : beside(choice),
    retrieval: isAllowed(choice) ? retrieval : null,
  };
}

/** Whether the tool `file_search` may be used at all. */
function isAllowed(choice: ResponseRequest["tool_choice"]): boolean {
  if (choice === "none") return false;
  if (typeof choice !== "object" || choice.type === "file_search") return true;
  return choice.type === "allowed_tools" && choice.tools.some(({ type }) => type === "file_search");
}

/** The choice among functions where the search is a tool as well. */
function beside(choice: ResponseRequest["tool_choice"]): SentChatRequest["tool_choice"] {
  if (choice === "required") return "auto";
  if (typeof choice !== "object" || choice.type !== "allowed_tools") return functionChoice(choice);
  const named = functionChoice(choice);
  if (!isAllowed(choice)) return named;
  if (choice.tools.every(({ type }) => type === "file_search")) return "none";
  return typeof named === "object" && named.type === "allowed_tools"
    ? { ...named, allowed_tools: { ...named.allowed_tools, mode: "auto" } }
    : named;
}

function functionChoice(choice: ResponseRequest["tool_choice"]): SentChatRequest["tool_choice"] {
  if (choice === undefined || typeof choice === "string") return choice;
  if (choice.type === "function") return { type: "function", function: { name: choice.name } };
  // The search is done; what the model does then is its own choice.
  if (choice.type === "file_search") return "auto";
  return {
    type: "allowed_tools",
    allowed_tools: {
      mode: choice.mode,
      tools: choice.tools.flatMap((tool) =>
        tool.type === "function" ? [{ type: "function" as const, function: { name: tool.name } }] : [],
      ),
    },
  };
}

function flatFunctions(tools: NonNullable<ResponseRequest["tools"]>): FunctionTool[] {
  return functionsOf(tools).map(({ tool, flat }) => (flat === tool.name ? tool : { ...tool, name: flat }));
}
