/**
 * A response as its Generation object keeps it: two lines of JSON, the object as its owner sees it, and its input. Either can be shown
 * without parsing the other.
 */
import type { InputPart, Item, NamedItem } from "./item.ts";

/** The part of a request for a response that its turn carries beside the chat (`TurnRequest.response`). */
export interface ResponseTurn {
  readonly objectName: string;
  /** The request's fields that every object repeats: response-object.ts. */
  readonly echo: Readonly<Record<string, unknown>>;
  readonly background: boolean;
  /** Where the prompt is over the window: the oldest turns go (`auto`), or it is refused. */
  readonly truncates: boolean;
  /** As it was sent, screened. */
  readonly input: readonly NamedItem[];
  /** The responses that this one goes on from, oldest first. */
  readonly ancestors: readonly string[];
  /**
   * What was said behind them, in responses that are not kept: whoever goes on from this one finds those no more. Only of
   * a response that is not kept itself. Absent: nothing was, or older code wrote it.
   */
  readonly before?: readonly Item[];
  /** A search of files shows its results. Absent: it does not. */
  readonly showsResults?: true;
}

type AskedWith = Pick<ResponseTurn, "input" | "ancestors" | "before">;

export function writeStored(response: string, { input, ancestors, before }: AskedWith): string {
  const asked: AskedWith = { input, ancestors, ...(before === undefined ? {} : { before }) };
  return `${response}\n${JSON.stringify(asked)}`;
}

/** The object, as JSON. */
export function storedResponse(stored: string): string {
  return stored.slice(0, lineBreakOf(stored));
}

/** The same with another object. */
export function inStored(stored: string, change: (response: string) => string): string {
  return change(storedResponse(stored)) + stored.slice(lineBreakOf(stored));
}

export function storedInput(stored: string): AskedWith {
  return JSON.parse(stored.slice(lineBreakOf(stored) + 1)) as AskedWith;
}

/** What the response adds to a context behind its ancestors: its input, then its output. */
export function storedItems(stored: string): readonly Item[] {
  const { output } = JSON.parse(storedResponse(stored)) as { readonly output: readonly Item[] };
  const { before = [], input } = storedInput(stored);
  // What a search found was of its own turn.
  return [...before, ...input, ...output.filter(({ type }) => type !== "file_search_call")].map(asRead);
}

/**
 * Its items by their ids, as they came in and went out: what a later request may name in place of them. `null`: what is kept is no
 * response, or one that was not to be stored.
 */
export function namedItems(stored: string): ReadonlyMap<string, Item> | null {
  if (!stored.includes("\n")) return null;
  const { object, store, output } = JSON.parse(storedResponse(stored)) as {
    readonly object?: string;
    readonly store?: boolean;
    readonly output: readonly NamedItem[];
  };
  if (object !== "response" || store === false) return null;
  return new Map([...storedInput(stored).input, ...output].map((item) => [item.id, item]));
}

/**
 * As the next model reads it: what a text cites, how likely its words were, and the bytes that a file's text was read of may be a hundred times as
 * long as the text.
 */
function asRead(item: Item): Item {
  if (item.type !== "message") return item;
  if (item.role !== "assistant") return { ...item, content: item.content.map(withoutBytes) };
  return {
    ...item,
    content: item.content.map((part) =>
      part.type === "output_text" ? { ...part, annotations: [], logprobs: [] } : part,
    ),
  };
}

function withoutBytes(part: InputPart): InputPart {
  if (part.type !== "input_file") return part;
  const { file_data: _sent, ...read } = part;
  return read;
}

/** Whether it was to be stored (`store`). */
export function isKept(stored: string): boolean {
  return (JSON.parse(storedResponse(stored)) as { readonly store?: boolean }).store !== false;
}

/** Whether it is a turn of a conversation. */
export function isOfConversation(stored: string): boolean {
  const { conversation } = JSON.parse(storedResponse(stored)) as { readonly conversation?: object | null };
  return conversation !== undefined && conversation !== null;
}

function lineBreakOf(stored: string): number {
  const at = stored.indexOf("\n");
  if (at === -1) throw new Error("a stored response has two lines");
  return at;
}
