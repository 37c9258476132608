/**
 * A chat completion that its owner stored (`store: true`): which one is in the list, what of the request it keeps, and how its
 * metadata change. A response that is kept by its id alone is also listed, in a list that is not shown: an erasure of its owner finds it there.
 * That is a response outside of a conversation, or one that left nothing in its own; a conversation knows the turns that it keeps.
 */
import { writeWholeAnswer, type WholeAnswer } from "../../stream/whole-answer.ts";
import type { ChatTurnRequest } from "./chat-turn-end.ts";
import type { AskedMessages, AskedPage, Effect, TurnEnd } from "./ports.ts";

type Listable = Pick<ChatTurnRequest, "chat" | "response" | "stored">;

/** Where the tenant keeps nothing (`journal.retention_days: 0`), nothing is listed. */
function isListed({ chat, response, stored }: Listable): boolean {
  return chat.store === true && stored === true && response === undefined;
}

function isKeptAlone({ response, stored }: Listable, effects: readonly Effect[]): boolean {
  const isSaved = effects.some((effect) => effect.kind === "append" && effect.items.length > 0);
  return response !== undefined && stored === true && !isSaved;
}

/** The stored object as JSON: a listed one holds its metadata, as OpenAI's does. */
export function keptAnswer(request: Listable, answer: WholeAnswer): string {
  const json = writeWholeAnswer(answer, "chat");
  if (!isListed(request)) return json;
  return `${json.slice(0, -1)},"metadata":${JSON.stringify(request.chat.metadata ?? {})}}`;
}

/** @param metadata JSON object of strings */
export function answerWithMetadata(response: string, metadata: string): string {
  return JSON.stringify({ ...(JSON.parse(response) as object), metadata: JSON.parse(metadata) as unknown });
}

/** The fields by which the list can be filtered. */
export function listedBy(response: string): { readonly model: string; readonly metadata: string } {
  const { model, metadata = {} } = JSON.parse(response) as {
    readonly model: string;
    readonly metadata?: Readonly<Record<string, string>>;
  };
  return { model, metadata: JSON.stringify(metadata) };
}

/** The effects of an end, with the list's if there is something to fetch by its id. */
export function withListing(
  effects: readonly Effect[],
  { response }: Pick<TurnEnd, "response">,
  request: Listable & Pick<ChatTurnRequest, "principal" | "tenant" | "responseId">,
): readonly Effect[] {
  if (response === null || !(isListed(request) || isKeptAlone(request, effects))) return effects;
  const { principal, tenant, responseId } = request;
  const owner = { tenant: principal.tenant, user: principal.user };
  return [...effects, { kind: "list", jurisdiction: tenant.jurisdiction, owner, responseId }];
}

/** The client's messages after screening; the conversation's earlier ones are not part of this turn. */
export function askedMessages({ chat }: Pick<ChatTurnRequest, "chat">, page: AskedPage): AskedMessages {
  const { messages } = chat;
  const { after, limit, order } = page;
  if (after !== null && after >= messages.length) return { messages: null, hasMore: false };
  const numbered = messages.map((message, number) => [number, message] as const);
  const ordered = order === "asc" ? numbered : numbered.toReversed();
  const begin = after === null ? 0 : (order === "asc" ? after : messages.length - 1 - after) + 1;
  return {
    messages: JSON.stringify(ordered.slice(begin, begin + limit)),
    hasMore: begin + limit < ordered.length,
  };
}
