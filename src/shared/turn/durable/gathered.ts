/**
 * What do a journal's events add up to? An interrupted turn has nothing but its journal: the answer, for the conversation and the final
 * response, is read back from what a reader may have seen.
 */
import { AnswerCollector } from "../../stream/answer-collector.ts";
import { readEngineEvent } from "../../stream/engine-event.ts";
import { isRecord } from "../../wire/is-record.ts";
import type { ChatMessage } from "../../wire/chat-messages.ts";
import type { JournalEvent } from "./ports.ts";
import { messagesOfRounds, type Round } from "./round-history.ts";

/** Characters of one answer that are kept for the final response and the conversation. */
export const maxGatheredCharacters = 1_000_000;

export function gatherEvents(events: Iterable<JournalEvent>): AnswerCollector {
  const collected = new AnswerCollector(maxGatheredCharacters, false);
  for (const { data } of events) {
    if (data === "[DONE]") continue;
    const text = plainText(data);
    if (text !== null) {
      collected.content(0, text);
      continue;
    }
    // Our own chunks are OpenAI's, which is what engines speak too.
    const event = readEngineEvent(data, "chat");
    if (event.kind === "failure") continue;
    for (const delta of event.deltas) {
      collected.delta(delta);
      if (delta.finishReason !== undefined) collected.finish(delta.index, delta.finishReason);
    }
  }
  return collected;
}

/** The model and the time that the answer's events carry; `null` if none does (the text format has neither). */
export function namedIn(
  events: Iterable<JournalEvent>,
): { readonly model: string; readonly created: number } | null {
  for (const { data } of events) {
    if (data === "[DONE]") continue;
    const value: unknown = JSON.parse(data);
    if (isRecord(value) && typeof value["model"] === "string" && typeof value["created"] === "number")
      return { model: value["model"], created: value["created"] };
  }
  return null;
}

/** The text of an event of `stream_format: "text"`; `null`: it is of the other format. */
function plainText(data: string): string | null {
  if (!data.startsWith('{"text":')) return null;
  const value: unknown = JSON.parse(data);
  return isRecord(value) && typeof value["text"] === "string" ? value["text"] : null;
}

/** The gathered answer as the message that the conversation keeps; `null`: there is nothing to keep. */
function assistantMessage(collected: Pick<AnswerCollector, "choices">): ChatMessage | null {
  const choice = collected.choices[0];
  if (choice === undefined) return null;
  const calls = choice.toolCalls.map((call) => ({
    id: call.id,
    type: "function" as const,
    function: { name: call.name, arguments: call.arguments },
  }));
  const content = choice.content ?? choice.refusal;
  if (calls.length > 0) return { role: "assistant", content, tool_calls: calls };
  if (content !== null && content !== "") return { role: "assistant", content };
  // A reader has seen the reasoning, so the question must stay. Templates want an answer between two questions.
  return choice.reasoning === null || choice.reasoning === "" ? null : { role: "assistant", content: "" };
}

/** All of an answer: what it said and learned in earlier rounds, then the rest. Empty: there is nothing to keep. */
export function answerMessages(
  collected: Pick<AnswerCollector, "choices">,
  rounds: readonly Round[],
): readonly ChatMessage[] {
  const last = assistantMessage(collected);
  return [...messagesOfRounds(rounds), ...(last === null ? [] : [last])];
}

/** SSE text of our own encoders as journal events. */
export function journalEvents(text: string): JournalEvent[] {
  const events: JournalEvent[] = [];
  for (const event of text.split("\n\n")) {
    const at = event.indexOf("data: ");
    // Comments (`: keep-alive`) are no events.
    if (at === -1) continue;
    const data = event.slice(at + "data: ".length);
    events.push(at === 0 ? { data } : { data, name: event.slice("event: ".length, at - 1) });
  }
  return events;
}
