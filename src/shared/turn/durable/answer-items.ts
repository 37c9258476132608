/** What does a conversation keep of an answer? Its messages as items, with the citations of their texts: names and places, never a file's text. */
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

/** Everything that the last round of an answer builds on. */
export interface AnswerPast {
  /** Earlier rounds: the model's words, and results of tools. */
  readonly rounds: readonly Round[];
  /** Web results that the model was given; `null`: the turn had no server tools. */
  readonly note: RoundsNote | null;
  /** Passages of files that the model was given; `null`: none were asked for. */
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
    // A source that was found later can't be cited by an earlier round. Notes of older code do not say when it was found.
    const known = sources.slice(0, note?.known?.[at]);
    return citingItems(answerMessages(nothing, [round]), { passages, sources: known, isJson }, status);
  });
  return [...before, ...citingItems(answerMessages(collected, []), { passages, sources, isJson }, status)];
}

const nothing = { choices: [] };

function citingItems(messages: readonly ChatMessage[], citable: Citable, status: ItemStatus): NewItem[] {
  return itemsOfMessages(messages, status, (text) => annotationsIn(text, citable));
}
