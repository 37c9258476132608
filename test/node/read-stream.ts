/** A turn's answer as a client of the chat API reads it: of a stream, what its events come to. */
interface Chunk {
  readonly id?: string;
  readonly model?: string;
  readonly choices?: readonly {
    readonly delta: { readonly role?: string; readonly content?: string };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number };
  readonly error?: { readonly code: string; readonly type: string };
}

export interface ReadStream {
  readonly content: string;
  readonly finishReasons: readonly string[];
  readonly errors: readonly unknown[];
  /** The last event. */
  readonly last: string | undefined;
  readonly ids: ReadonlySet<string | undefined>;
  readonly roles: number;
  readonly usage: Chunk["usage"];
}

/** Without what a prefix cache held: that depends on who was asked before. */
function usageOf(chunks: readonly Chunk[]): Chunk["usage"] {
  const usage = chunks.findLast(({ usage }) => usage !== undefined)?.usage;
  return usage && { prompt_tokens: usage.prompt_tokens, completion_tokens: usage.completion_tokens };
}

function chunksOf(text: string): { readonly chunks: readonly Chunk[]; readonly last: string | undefined } {
  const events = text
    .split("\n\n")
    .filter((event) => event.startsWith("data: "))
    .map((event) => event.slice("data: ".length));
  return {
    chunks: events.filter((event) => event !== "[DONE]").map((event) => JSON.parse(event) as Chunk),
    last: events.at(-1),
  };
}

/** The text of a stream as it came, an event each. */
export function piecesOf(text: string): readonly string[] {
  return chunksOf(text).chunks.flatMap(({ choices }) =>
    (choices ?? []).flatMap(({ delta }) => (delta.content ? [delta.content] : [])),
  );
}

/** What a client of the chat API makes of a stream. */
export function readStream(text: string): ReadStream {
  const { chunks, last } = chunksOf(text);
  const choices = chunks.flatMap((chunk) => chunk.choices ?? []);
  return {
    content: choices.map(({ delta }) => delta.content ?? "").join(""),
    finishReasons: choices.flatMap(({ finish_reason: reason }) => (reason === null ? [] : [reason])),
    errors: chunks.flatMap(({ error }) => (error === undefined ? [] : [error])),
    last,
    ids: new Set(chunks.filter(({ error }) => error === undefined).map(({ id }) => id)),
    roles: choices.filter(({ delta }) => delta.role !== undefined).length,
    usage: usageOf(chunks),
  };
}
