/** Screens the input of a response, item by item: only the masked text is used from then on, and stored. */
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { ChatMessage, ContentPart } from "../prompt/chat-message.ts";
import { type FilePart, isFilePart } from "../prompt/file-part.ts";
import { screenWith } from "../safety/definition-texts.ts";
import type { ScreenDeps } from "../safety/screen-prompt.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import { refusalAt, summary } from "../turn/screen-request.ts";
import type { ResponseRequest } from "../wire/responses-request.ts";
import type { ResponseTool } from "../wire/responses-tools.ts";
import type { InputFile, InputImage, InputPart, InputText, Item, McpCall, OutputPart } from "./item.ts";

export interface ScreenedResponse {
  readonly request: ResponseRequest;
  /** What was found, for the log: kinds and how often, never the text. */
  readonly findings: string | null;
}

export async function screenResponse(
  request: ResponseRequest,
  tenant: TenantConfig,
  deps: ScreenDeps,
): Promise<Result<ScreenedResponse, Refusal>> {
  // One message an item, in their order, so that what comes back can be put where it came from.
  const said: ChatMessage[] = [
    { role: "system", content: request.instructions ?? "" },
    ...request.input.map(asMessage),
  ];
  const { tools, text } = request;
  // Of the tools the model is shown functions alone, with their namespaces' names. What narrows a search is heeded to the letter, as in a chat.
  const functions = tools?.filter(holdsFunctions);
  const described = { ...(functions !== undefined && { functions }), ...(text !== undefined && { text }) };
  const screening = screenWith(said, described, tenant.safety, deps);
  const screened = screening instanceof Promise ? await screening : screening;
  if (screened.kind === "refused")
    return err(
      refusalAt(screened, (at) =>
        at === null ? "input" : at === 0 ? "instructions" : itemField(request.input, at - 1),
      ),
    );
  const findings = summary(screened.findings, screened.harm);
  const [first, ...messages] = screened.messages;
  const instructions = typeof first?.content === "string" ? first.content : "";
  if (screened.messages === said && screened.definitions === described) return ok({ request, findings });
  return ok({
    request: {
      ...request,
      ...(text !== undefined && { text: screened.definitions.text }),
      ...(tools !== undefined && { tools: withFunctions(tools, screened.definitions.functions ?? []) }),
      ...(request.instructions === undefined ? {} : { instructions }),
      input: request.input.map((item, at) => withTexts(item, messages[at])),
    },
    findings,
  });
}

/** A function, or a namespace of some. */
type Functions = Extract<ResponseTool, { type: "function" | "namespace" }>;

function holdsFunctions(tool: ResponseTool): tool is Functions {
  return tool.type === "function" || tool.type === "namespace";
}

/** The tools with functions in the places of their own. */
function withFunctions(tools: readonly ResponseTool[], functions: readonly Functions[]): ResponseTool[] {
  const next = functions.values();
  return tools.map((tool) => {
    if (!holdsFunctions(tool)) return tool;
    const { value } = next.next();
    if (value === undefined) throw new Error("screening lost a tool");
    return value;
  });
}

/** A prompt of one message may have been a plain string. */
function itemField(input: readonly Item[], at: number): string {
  if (input.length === 1) return "input";
  return `input[${at}].${input[at]?.type === "function_call_output" ? "output" : "content"}`;
}

function asMessage(item: Item): ChatMessage {
  switch (item.type) {
    case "message":
      return { role: item.role, content: item.content.map(asPart) };
    case "function_call":
      return { role: "assistant", content: null, tool_calls: [{ function: { arguments: item.arguments } }] };
    case "function_call_output":
      return {
        role: "tool",
        content: typeof item.output === "string" ? item.output : item.output.map(asPart),
      };
    case "mcp_call":
      return {
        role: "tool",
        content: toldOf(item),
        tool_calls: [{ function: { arguments: item.arguments } }],
      };
    case "web_search_call":
      return { role: "assistant", content: null };
    case "file_search_call":
      // The model does not see it again, but it is kept.
      return {
        role: "assistant",
        content: item.queries.map((query) => ({ type: "text" as const, text: query })),
      };
    case "reasoning":
      return {
        role: "assistant",
        content: item.content.map((part) => ({ type: "text" as const, text: part.text })),
      };
  }
}

/** What the model reads as its result: where a call failed, the client's own words for that. */
function toldOf({ output, error }: McpCall): string {
  return output ?? (typeof error === "string" ? error : "");
}

function asPart(part: InputPart | OutputPart): ContentPart {
  switch (part.type) {
    case "input_text":
    case "output_text":
      return { type: "text" as const, text: part.text };
    case "refusal":
      return { type: "text" as const, text: part.refusal };
    case "input_image":
      return { type: "image_url" as const };
    case "input_file": {
      const { filename, texts, has_pages } = part;
      const file: FilePart = { type: "file_text", filename, texts, has_pages };
      return file;
    }
    case "sent_file":
      throw new Error("a file that was sent was not read");
  }
}

/** Where the screen changed what was read, the bytes would still say it: they are not kept. */
function withFile(part: InputFile, { content }: ChatMessage, at: number): InputFile {
  const screened = Array.isArray(content) ? (content as readonly ContentPart[])[at] : undefined;
  if (screened === undefined || !isFilePart(screened)) throw new Error("screening lost a file");
  const { filename, texts } = screened;
  if (filename === part.filename && texts === part.texts) return part;
  const { file_data: _sent, ...read } = part;
  return { ...read, filename, texts };
}

/** The item with the message's texts in the places of its own. */
function withTexts(item: Item, message: ChatMessage | undefined): Item {
  if (message === undefined) throw new Error("screening lost a message");
  const text = (at: number): string => {
    const part = Array.isArray(message.content) ? (message.content as readonly InputText[])[at] : undefined;
    if (part === undefined) throw new Error("screening lost a part");
    return part.text;
  };
  switch (item.type) {
    case "message":
      if (item.role === "assistant")
        return {
          ...item,
          content: item.content.map((part, at) =>
            part.type === "refusal" ? { ...part, refusal: text(at) } : { ...part, text: text(at) },
          ),
        };
      return {
        ...item,
        content: item.content.map((part, at) => {
          if (part.type === "input_text") return { ...part, text: text(at) };
          return part.type === "input_file" ? withFile(part, message, at) : part;
        }),
      };
    case "web_search_call":
      return item;
    case "mcp_call": {
      const [call] = (message.tool_calls ?? []) as readonly { function: { arguments: string } }[];
      const told = typeof message.content === "string" ? message.content : null;
      return {
        ...item,
        arguments: call?.function.arguments ?? item.arguments,
        ...(item.output !== null ? { output: told } : typeof item.error === "string" ? { error: told } : {}),
      };
    }
    case "function_call": {
      const [call] = (message.tool_calls ?? []) as readonly { function: { arguments: string } }[];
      return { ...item, arguments: call?.function.arguments ?? item.arguments };
    }
    case "function_call_output":
      return {
        ...item,
        output:
          typeof message.content === "string"
            ? message.content
            : (item.output as readonly (InputText | InputImage)[]).map((part, at) =>
                part.type === "input_text" ? { ...part, text: text(at) } : part,
              ),
      };
    case "file_search_call":
      return { ...item, queries: item.queries.map((_, at) => text(at)) };
    case "reasoning":
      return { ...item, content: item.content.map((part, at) => ({ ...part, text: text(at) })) };
  }
}
