/**
 * Between items and the chat messages that engines take. An answer's text and its calls become one message again, even where the model
 * spoke after a call, since templates want a call's result right after it. Reasoning goes with the answer that follows it; the template
 * decides whether to show it.
 */
import { type ChatMessage, recalledArguments, type UserContentPart } from "../wire/chat-messages.ts";
import { flatName } from "./function-names.ts";
import type { FunctionCallOutput, InputImage, InputPart, InputText, Item, McpCall } from "./item.ts";
import { serverCallEndOf } from "./server-items.ts";

type AssistantMessage = Extract<ChatMessage, { role: "assistant" }>;
type ToolMessage = Extract<ChatMessage, { role: "tool" }>;

export function messagesOf(items: readonly Item[]): ChatMessage[] {
  const messages: ChatMessage[] = [];
  let thought: string[] = [];
  for (const item of items) {
    const last = messages.at(-1);
    switch (item.type) {
      case "message": {
        if (item.role !== "assistant") messages.push(heard(item));
        else if (hasCalls(last))
          messages[messages.length - 1] = {
            ...last,
            content: textBehind(last, textOf(item.content)),
            ...thinking(thought, last),
          };
        else messages.push({ ...spoken(textOf(item.content)), ...thinking(thought) });
        // What was thought and led to no answer belongs to none that comes after the next question either.
        thought = [];
        break;
      }
      case "file_search_call":
        break;
      case "reasoning":
        thought.push(...item.content.map((part) => part.text.toWellFormed()));
        break;
      case "function_call": {
        const call = {
          id: item.call_id,
          type: "function" as const,
          function: { name: flatName(item), arguments: recalledArguments(item.arguments) },
        };
        if (last?.role === "assistant" && (thought.length === 0 || hasCalls(last)))
          messages[messages.length - 1] = {
            ...last,
            tool_calls: [...(last.tool_calls ?? []), call],
            ...thinking(thought, last),
          };
        else messages.push({ ...spoken(null), tool_calls: [call], ...thinking(thought) });
        thought = [];
        break;
      }
      case "mcp_call": {
        const id = item.id ?? `call_${messages.length}`;
        const call = {
          id,
          type: "function" as const,
          function: { name: item.name, arguments: recalledArguments(item.arguments) },
        };
        // What the model said before it is its own message's; calls behind a result are another's.
        if (last?.role === "assistant")
          messages[messages.length - 1] = {
            ...last,
            tool_calls: [...(last.tool_calls ?? []), call],
            ...thinking(thought, last),
          };
        else messages.push({ ...spoken(null), tool_calls: [call], ...thinking(thought) });
        thought = [];
        messages.push({ role: "tool", content: serverCallText(item), tool_call_id: id });
        break;
      }
      case "web_search_call":
        // Its results are not kept: the answer shows what came of them.
        break;
      case "function_call_output":
        messages.push({
          role: "tool",
          content: toolContent(item.output),
          tool_call_id: item.call_id,
        });
    }
  }
  return messages;
}

function serverCallText(item: McpCall): string {
  return item.output ?? serverCallEndOf({ status: "failed", ...item })?.error ?? "The call was interrupted.";
}

function heard({ role, content }: Extract<Item, { role: "user" | "system" | "developer" }>): ChatMessage {
  const [only] = content;
  const isPlain = content.length === 1 && only?.type === "input_text";
  if (role === "user")
    return { role, content: isPlain ? only.text : content.map(chatPart) } satisfies ChatMessage;
  const text = content.flatMap((part) => (part.type === "input_text" ? [part.text] : [])).join("\n");
  return { role: "system", content: text };
}

function chatPart(part: InputPart): UserContentPart {
  switch (part.type) {
    case "input_text":
    case "input_image":
      return seenPart(part);
    case "sent_file":
      return { type: "file", file: part.file };
    case "input_file": {
      // A model only reads its text.
      const { file_data: _sent, ...read } = part;
      return { ...read, type: "file_text" };
    }
  }
}

function seenPart(part: InputText | InputImage) {
  return part.type === "input_text"
    ? { type: "text" as const, text: part.text }
    : { type: "image_url" as const, image_url: { url: part.image_url, detail: part.detail } };
}

/** Texts as one, as every template wants it; where pictures are among them, what there is, in its order. */
function toolContent(output: FunctionCallOutput["output"]): ToolMessage["content"] {
  if (typeof output === "string") return output;
  const texts = output.flatMap((part) => (part.type === "input_text" ? [part.text] : []));
  return texts.length === output.length ? texts.join("\n") : output.map(seenPart);
}

function spoken(content: string | null): AssistantMessage {
  return { role: "assistant", content };
}

function hasCalls(message: ChatMessage | undefined): message is AssistantMessage {
  return message?.role === "assistant" && message.tool_calls !== undefined;
}

function textBehind({ content }: AssistantMessage, text: string): string {
  return typeof content === "string" ? content + text : text;
}

/** @param message of which it is part, where that has begun */
function thinking(
  thought: readonly string[],
  message: Pick<AssistantMessage, "reasoning"> = {},
): { readonly reasoning?: string } {
  if (thought.length === 0) return {};
  const before = message.reasoning === undefined ? [] : [message.reasoning];
  return { reasoning: [...before, ...thought].join("\n") };
}

/** An answer that was stopped may end in half of a character, which no engine can read. */
function textOf(parts: Extract<Item, { role: "assistant" }>["content"]): string {
  return parts
    .map((part) => (part.type === "output_text" ? part.text : part.refusal))
    .join("")
    .toWellFormed();
}
