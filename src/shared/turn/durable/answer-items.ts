/** What does a conversation keep of an answer? Its messages as items, with what their texts cite: names and places, and no text of a file. */
import type { NewItem } from "../../contracts/conversation.ts";
import { annotationsIn, type Citable } from "../../grounding/citable.ts";
import type { Grounding } from "../../grounding/ground.ts";
import type { AnswerCollector } from "../../stream/answer-collector.ts";
import type { ChatMessage } from "../../wire/chat-messages.ts";
import { askedChat } from "../asked-chat.ts";
import type { ChatTurnRequest } from "./chat-turn-end.ts";
import { itemsOfMessages, type ItemStatus } from "./conversation-items.ts";
import { answerMessages } from "./gathered.ts";
import type { Round, RoundsNote } from "./round-history.ts";

/** What an answer's last words rest on. */
export interface AnswerPast {
  /** What was said and learned before them. */
  readonly rounds: readonly Round[];
  /** What searches told the model of; `null`: the turn had no tools of the server's own. */
  readonly note: RoundsNote | null;
  /** What the model was given of files; `null`: nobody asked for any. */
  readonly grounding: Grounding | null;
}

export const withoutPast: AnswerPast = { rounds: [], note: null, grounding: null };

/** Empty: there is nothing to keep. */
export function answerItems(
  { chat }: Pick<ChatTurnRequest, "chat">,
  collected: AnswerCollector,
  { rounds, note, grounding }: AnswerPast,
  status: ItemStatus,
): readonly NewItem[] {
  const passages = grounding?.passages ?? [];
  const sources = note?.sources ?? [];
  if (passages.length + sources.length === 0)
    return itemsOfMessages(answerMessages(collected, rounds), status);
  const { contentIsJson: isJson } = askedChat(chat);
  const before = rounds.flatMap((round, at) => {
    // What was found later was no source of what was said before. A note of older code does not say.
    const known = sources.slice(0, note?.known?.[at]);
    return citingItems(answerMessages(nothing, [round]), { passages, sources: known, isJson }, status);
  });
  return [...before, ...citingItems(answerMessages(collected, []), { passages, sources, isJson }, status)];
}

const nothing = { choices: [] };

function citingItems(messages: readonly ChatMessage[], citable: Citable, status: ItemStatus): NewItem[] {
  return itemsOfMessages(messages, status, (text) => annotationsIn(text, citable));
}
