/**
 * Between items and the chat messages that engines take. An answer's text and the calls that follow it are one message
 * again; what a reasoning model thought goes with the answer behind it, whose template decides whether to show it.
 */
import type { ChatMessage } from "../wire/chat-messages.ts";
import type { InputPart, Item } from "./item.ts";

type AssistantMessage = Extract<ChatMessage, { role: "assistant" }>;

export function messagesOf(items: readonly Item[]): ChatMessage[] {
  const messages: ChatMessage[] = [];
  let thought = "";
  for (const item of items) {
    const last = messages.at(-1);
    switch (item.type) {
      case "message":
        if (item.role === "assistant") {
          messages.push({ ...spoken(textOf(item.content)), ...thinking(thought) });
          thought = "";
        } else messages.push(heard(item));
        break;
      case "reasoning":
        thought += item.content.map((part) => part.text).join("\n");
        break;
      case "function_call": {
        const call = {
          id: item.call_id,
          type: "function" as const,
          function: { name: item.name, arguments: item.arguments },
        };
        if (last?.role === "assistant" && thought === "")
          messages[messages.length - 1] = { ...last, tool_calls: [...(last.tool_calls ?? []), call] };
        else messages.push({ ...spoken(null), tool_calls: [call], ...thinking(thought) });
        thought = "";
        break;
      }
      case "function_call_output":
        messages.push({
          role: "tool",
          content:
            typeof item.output === "string" ? item.output : item.output.map((part) => part.text).join("\n"),
          tool_call_id: item.call_id,
        });
    }
  }
  return messages;
}

function heard({ role, content }: Extract<Item, { role: "user" | "system" | "developer" }>): ChatMessage {
  const [only] = content;
  const isPlain = content.length === 1 && only?.type === "input_text";
  if (role === "user")
    return { role, content: isPlain ? only.text : content.map(chatPart) } satisfies ChatMessage;
  const text = content.flatMap((part) => (part.type === "input_text" ? [part.text] : [])).join("\n");
  return { role: "system", content: text };
}

function chatPart(part: InputPart) {
  return part.type === "input_text"
    ? { type: "text" as const, text: part.text }
    : { type: "image_url" as const, image_url: { url: part.image_url, detail: part.detail } };
}

function spoken(content: string | null): AssistantMessage {
  return { role: "assistant", content };
}

function thinking(thought: string): { readonly reasoning?: string } {
  return thought === "" ? {} : { reasoning: thought };
}

function textOf(parts: Extract<Item, { role: "assistant" }>["content"]): string {
  return parts.map((part) => (part.type === "output_text" ? part.text : part.refusal)).join("");
}
