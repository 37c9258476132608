import { maxItemsUnits, type NewItem, type StoredItem } from "../../contracts/conversation.ts";
import type { FileText } from "../../prompt/file-part.ts";
import { withoutFileTexts } from "../../responses/without-file-texts.ts";
import {
  type AssistantMessage,
  type ChatMessage,
  recalledArguments,
  type UserContentPart,
} from "../../wire/chat-messages.ts";

/**
 * Between chat messages, which engines take, and conversation items, which are kept and which `/v1/conversations` and
 * the Responses API show. Items are OpenAI's: a message's tool calls are items of their own.
 *
 * Not kept: system messages (instructions are of their turn: a client sends them each time) and reasoning (no template
 * wants an earlier turn's). A speaker's `name`, which items of OpenAI don't have, is kept beside and not shown.
 */
type ItemPart =
  | { readonly type: "input_text"; readonly text: string }
  | { readonly type: "input_image"; readonly image_url: string; readonly detail: "auto" | "low" | "high" }
  | {
      readonly type: "input_audio";
      readonly input_audio: { readonly data: string; readonly format: "wav" | "mp3" };
    }
  /** Its text is kept with it, and not shown (`publicItem`): an uploaded file may be deleted, and one that was sent is nowhere else. */
  | ({ readonly type: "input_file" } & FileText)
  | {
      readonly type: "output_text";
      readonly text: string;
      readonly annotations: readonly unknown[];
      readonly logprobs: readonly unknown[];
    };

export type ItemStatus = "completed" | "incomplete";

export type ConversationItem =
  | {
      readonly type: "message";
      readonly role: "user" | "assistant";
      readonly status: ItemStatus;
      readonly content: readonly ItemPart[];
      readonly name?: string;
    }
  | {
      readonly type: "function_call";
      readonly call_id: string;
      readonly name: string;
      readonly arguments: string;
      readonly status: ItemStatus;
    }
  | {
      readonly type: "function_call_output";
      readonly call_id: string;
      readonly output: string | readonly ItemPart[];
      readonly status: ItemStatus;
    };

/** The citations of an assistant's text, in OpenAI's form. */
type Annotate = (text: string) => readonly object[];

const citesNothing: Annotate = () => [];

/** A turn's messages (the client's new ones, then the answer) as items to be appended. */
export function itemsOfMessages(
  messages: readonly ChatMessage[],
  status: ItemStatus = "completed",
  annotate: Annotate = citesNothing,
): NewItem[] {
  return messages.flatMap((message) => itemsOf(message, status, annotate)).map(newItem);
}

/** The same as a JSON array in their public form: with the files that they bring, without the files' texts. */
export function shownItems(messages: readonly ChatMessage[]): string {
  return JSON.stringify(
    messages.flatMap((message) => itemsOf(message, "completed", citesNothing)).map(withoutFileTexts),
  );
}

/** `null`: a message carries them, and a conversation keeps them. */
export function itemsTooLarge(
  items: readonly Pick<NewItem, "json">[],
  mostUnits: number = maxItemsUnits,
): { readonly result: "item-too-large"; readonly maxBytes: number } | null {
  const units = items.reduce((sum, { json }) => sum + json.length, 0);
  return units <= mostUnits ? null : { result: "item-too-large", maxBytes: mostUnits };
}

/** What an engine gets of a loaded history. An answer's text and its calls become one message again. */
export function messagesOfItems(items: readonly Pick<StoredItem, "json">[]): ChatMessage[] {
  const messages: ChatMessage[] = [];
  for (const { json } of items) {
    const item = JSON.parse(json) as ConversationItem;
    const last = messages.at(-1);
    switch (item.type) {
      case "message":
        messages.push(item.role === "user" ? userMessage(item) : assistantMessage(item));
        break;
      case "function_call": {
        const call = {
          id: item.call_id,
          type: "function" as const,
          function: { name: item.name, arguments: recalledArguments(item.arguments) },
        };
        if (last?.role === "assistant") messages[messages.length - 1] = withCall(last, call);
        else messages.push({ role: "assistant", content: null, tool_calls: [call] });
        break;
      }
      case "function_call_output":
        messages.push({ role: "tool", content: resultOf(item.output), tool_call_id: item.call_id });
    }
  }
  return messages;
}

/** An item as `GET /v1/conversations/{id}/items` shows it. */
export function publicItem(stored: StoredItem): Record<string, unknown> {
  const item = JSON.parse(stored.json) as Record<string, unknown>;
  if (stored.type === "message") delete item["name"];
  return { id: stored.id, ...withoutFileTexts(item) };
}

function itemsOf(message: ChatMessage, status: ItemStatus, annotate: Annotate): ConversationItem[] {
  switch (message.role) {
    case "system":
      return [];
    case "user": {
      const parts =
        typeof message.content === "string" ? [inputText(message.content)] : message.content.map(itemPart);
      return [{ type: "message", role: "user", status, content: parts, ...named(message) }];
    }
    case "assistant": {
      const calls = (message.tool_calls ?? []).map((call): ConversationItem => ({
        type: "function_call",
        call_id: call.id,
        name: call.function.name,
        arguments: call.function.arguments,
        status,
      }));
      if (message.content === null) return calls;
      const texts =
        typeof message.content === "string" ? [message.content] : message.content.map((part) => part.text);
      const content = texts.map((text): ItemPart => ({
        type: "output_text",
        text,
        annotations: annotate(text),
        logprobs: [],
      }));
      return [{ type: "message", role: "assistant", status, content, ...named(message) }, ...calls];
    }
    case "tool": {
      const [only] = message.content;
      const output =
        typeof message.content === "string"
          ? message.content
          : message.content.length === 1 && typeof only === "object" && only.type === "text"
            ? only.text
            : message.content.map(itemPart);
      return [{ type: "function_call_output", call_id: message.tool_call_id, output, status }];
    }
  }
}

function newItem(item: ConversationItem): NewItem {
  return { type: item.type, role: item.type === "message" ? item.role : null, json: JSON.stringify(item) };
}

function named(message: { readonly name?: string | undefined }): { readonly name?: string } {
  return message.name === undefined ? {} : { name: message.name };
}

function inputText(text: string): ItemPart {
  return { type: "input_text", text };
}

function itemPart(part: UserContentPart): ItemPart {
  switch (part.type) {
    case "text":
      return inputText(part.text);
    case "image_url":
      return { type: "input_image", image_url: part.image_url.url, detail: part.image_url.detail ?? "auto" };
    case "input_audio":
      return { type: "input_audio", input_audio: part.input_audio };
    case "file_text":
      return { ...part, type: "input_file" };
    case "file":
      throw new Error("a file that was sent was not read");
  }
}

function chatPart(part: ItemPart): UserContentPart {
  switch (part.type) {
    case "input_text":
    case "output_text":
      return { type: "text", text: part.text };
    case "input_image":
      return { type: "image_url", image_url: { url: part.image_url, detail: part.detail } };
    case "input_audio":
      return { type: "input_audio", input_audio: part.input_audio };
    case "input_file":
      return { ...part, type: "file_text" };
  }
}

type MessageItem = Extract<ConversationItem, { type: "message" }>;

function userMessage(item: MessageItem): ChatMessage {
  const [only] = item.content;
  const content =
    item.content.length === 1 && only?.type === "input_text" ? only.text : item.content.map(chatPart);
  return { role: "user", content, ...named(item) };
}

function assistantMessage(item: MessageItem): ChatMessage {
  return { role: "assistant", content: plain(item.content), ...named(item) };
}

/** One text as a string, as most templates want it; several as parts. */
function plain(content: string | readonly ItemPart[]): string | { type: "text"; text: string }[] {
  if (typeof content === "string") return content;
  const texts = content.flatMap((part) =>
    part.type === "input_text" || part.type === "output_text"
      ? // An answer that was stopped may end in half of a character, which no engine can read.
        [{ type: "text" as const, text: part.text.toWellFormed() }]
      : [],
  );
  const [only] = texts;
  return texts.length === 1 && only !== undefined ? only.text : texts;
}

/** As `plain`, with the pictures in their places. */
function resultOf(output: string | readonly ItemPart[]): Extract<ChatMessage, { role: "tool" }>["content"] {
  if (typeof output === "string" || !output.some(({ type }) => type === "input_image")) return plain(output);
  return output.flatMap((part) => {
    const seen = chatPart(part);
    return seen.type === "text" || seen.type === "image_url" ? [seen] : [];
  });
}

function withCall(
  message: AssistantMessage,
  call: NonNullable<AssistantMessage["tool_calls"]>[number],
): AssistantMessage {
  return { ...message, tool_calls: [...(message.tool_calls ?? []), call] };
}
