/**
 * What callers do while the product is broken around them: each kind of turn, by the official client or on a bare socket. A turn
 * rejects where its caller did not get what was asked for; it never waits longer than `deadlineMs`.
 */
import type OpenAI from "openai";
import { vanishingClient } from "../vanishing-client.ts";

export interface Caller {
  readonly name: string;
  readonly org: string;
  readonly token: string;
  /** Never tries again by itself: what failed is to be seen. */
  readonly client: OpenAI;
  readonly port: number;
}

/** What a caller knows of a turn, as far as it went. */
export interface Told {
  /** Delivered, at least: pieces while they come, what the answer says once it is whole. */
  tokens: number;
  /** Of a turn that has an object of its own. */
  id: string | null;
}

export interface Asking {
  readonly caller: Caller;
  /** New for each turn, the same each time it is tried. */
  readonly key: string;
  /** The same each time it is tried. */
  readonly words: number;
  readonly random: () => number;
  readonly told: Told;
}

/** An engine that falls silent between two tokens is left after 30 s, and the next one may do the same. */
export const deadlineMs = 150_000;
const model = "llama-3.1-8b";
const embeddingModel = "bge-small";

/** Nothing of such a turn outlives the Worker that runs it. */
export const directTurns: Readonly<Record<string, (asking: Asking) => Promise<void>>> = {
  async streamed(asking) {
    await readChat(await startChat(asking, {}), asking.told);
  },
  async whole({ caller, told, ...asking }) {
    const answer = await caller.client.chat.completions.create(
      { model, messages: question(asking) },
      limits(),
    );
    if (answer.choices[0]?.finish_reason == null) throw new Error("a whole answer without its end");
    told.tokens = answer.usage?.total_tokens ?? 0;
  },
  async embedded({ caller, key, told }) {
    const vectors = await caller.client.embeddings.create({ model: embeddingModel, input: key }, limits());
    if (vectors.data.length !== 1) throw new Error(`${vectors.data.length} vectors of one text`);
    told.tokens = vectors.usage.total_tokens;
  },
  async left(asking) {
    await leave(asking, {});
  },
};

/** Such a turn has an object, and outlives the Worker; but a socket takes no key, by which it could be tried again. */
export const socketTurns: typeof directTurns = {
  async socket({ caller, told, ...asking }) {
    const socket = new WebSocket(`ws://127.0.0.1:${caller.port}/v1/responses`, [
      "responses",
      `openai-insecure-api-key.${caller.token}`,
    ]);
    try {
      const response = await answerBySocket(socket, asking, (id) => {
        told.id = id;
      });
      told.tokens = response.usage?.total_tokens ?? 0;
    } finally {
      socket.close();
    }
  },
};

/** Tried again under its key, such a turn is the same one. */
export const durableTurns: typeof directTurns = {
  async keyed(asking) {
    await readChat(await startChat(asking, {}, asking.key), asking.told);
  },
  async conversation(asking) {
    const conversation = { conversation_id: `${asking.caller.name}-${asking.words % 3}` };
    await readChat(await startChat(asking, conversation, asking.key), asking.told);
  },
  async dropped(asking) {
    await leave(asking, { "idempotency-key": asking.key });
    await readChat(await startChat(asking, {}, asking.key), asking.told);
  },
  async response({ caller, key, told, words }) {
    const events = await caller.client.responses.create(
      { model, input: question({ key, words }), stream: true },
      limits(key),
    );
    let isWhole = false;
    for await (const event of events) {
      if (event.type === "response.created") told.id = event.response.id;
      if (event.type === "response.failed" || event.type === "error") throw new Error(JSON.stringify(event));
      if (event.type !== "response.completed") continue;
      isWhole = true;
      told.tokens = event.response.usage?.total_tokens ?? 0;
    }
    if (!isWhole) throw new Error("a response without its end");
  },
  async background(asking) {
    const response = await ended(asking, await startBackground(asking));
    if (response.status !== "completed") throw new Error(`a response in the background: ${response.status}`);
    asking.told.tokens = response.usage?.total_tokens ?? 0;
  },
  async cancelled(asking) {
    const id = await startBackground(asking);
    await pause(asking.random() * 200);
    await asking.caller.client.responses.cancel(id, limits());
    const { status } = await ended(asking, id);
    if (status !== "cancelled" && status !== "completed") throw new Error(`a cancelled response: ${status}`);
  },
};

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

type Question = Pick<Asking, "key" | "words">;

/** Of its own each time, so that no cache answers it. */
function question({ key, words }: Question): { role: "user"; content: string }[] {
  return [{ role: "user", content: `Write ${words} words about ${key}` }];
}

/** The client names its retries, if it is told how: it is not by itself. */
function limits(key?: string): OpenAI.RequestOptions {
  return {
    signal: AbortSignal.timeout(deadlineMs),
    ...(key === undefined ? {} : { headers: { "Idempotency-Key": key } }),
  };
}

type Chunks = AsyncIterable<OpenAI.ChatCompletionChunk>;

/** The same for each way to ask, since a key belongs to a body. */
function chat(
  asking: Question,
): Pick<OpenAI.ChatCompletionCreateParamsStreaming, "model" | "messages" | "stream" | "stream_options"> {
  return { model, messages: question(asking), stream: true, stream_options: { include_usage: true } };
}

async function startChat({ caller, told, ...asking }: Asking, more: object, key?: string): Promise<Chunks> {
  const { data, response } = await caller.client.chat.completions
    .create({ ...chat(asking), ...more }, limits(key))
    .withResponse();
  told.id = key === undefined ? null : response.headers.get("x-edgewise-response-id");
  return data;
}

async function readChat(chunks: Chunks, told: Told): Promise<void> {
  told.tokens = 0;
  let finishes = 0;
  let usage: number | null = null;
  for await (const chunk of chunks) {
    if ((chunk.choices[0]?.delta.content ?? "") !== "") told.tokens += 1;
    if (chunk.choices[0]?.finish_reason != null) finishes += 1;
    usage = chunk.usage?.total_tokens ?? usage;
  }
  if (finishes !== 1 || usage === null) throw new Error(`a stream with ${finishes} ends, and usage ${usage}`);
  told.tokens = usage;
}

/** Resets its connection somewhere in the answer, or before it. */
async function leave(
  { caller, key, random, told, words }: Asking,
  headers: Record<string, string>,
): Promise<void> {
  const client = vanishingClient(caller.port, caller.token, JSON.stringify(chat({ key, words })), headers);
  const most = random() * words;
  const pieces = (): number => Math.max(0, client.text().split('"content":"').length - 2);
  const untilMs = Date.now() + deadlineMs;
  while (pieces() < most && !client.text().includes("[DONE]") && !client.socket.closed) {
    if (Date.now() > untilMs) throw new Error("nothing came, and the connection stayed");
    await pause(10);
  }
  told.tokens = pieces();
  if (client.socket.closed && !client.text().includes("[DONE]"))
    throw new Error(`the product closed the connection: ${client.text().slice(0, 300)}`);
  client.vanish();
}

function answerBySocket(
  socket: WebSocket,
  asking: Question,
  onId: (id: string) => void,
): Promise<OpenAI.Responses.Response> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("a socket that says nothing")), deadlineMs);
    const fail = (why: string): void => {
      clearTimeout(late);
      reject(new Error(why));
    };
    socket.addEventListener("open", () =>
      socket.send(JSON.stringify({ type: "response.create", model, input: question(asking) })),
    );
    socket.addEventListener("error", () => fail("the socket broke"));
    socket.addEventListener("close", ({ code }) => fail(`the socket was closed: ${code}`));
    socket.addEventListener("message", ({ data }) => {
      const event = JSON.parse(String(data)) as OpenAI.Responses.ResponseStreamEvent;
      if (event.type === "response.created") onId(event.response.id);
      if (event.type === "response.failed" || event.type === "error") fail(JSON.stringify(event));
      if (event.type !== "response.completed") return;
      clearTimeout(late);
      resolve(event.response);
    });
  });
}

async function startBackground({ caller, key, told, words }: Asking): Promise<string> {
  const response = await caller.client.responses.create(
    { model, input: question({ key, words }), background: true },
    limits(key),
  );
  told.id = response.id;
  return response.id;
}

async function ended({ caller }: Asking, id: string): Promise<OpenAI.Responses.Response> {
  for (const untilMs = Date.now() + deadlineMs; Date.now() < untilMs; await pause(100)) {
    const response = await caller.client.responses.retrieve(id, {}, limits());
    if (response.status !== "queued" && response.status !== "in_progress") return response;
  }
  throw new Error(`the response ${id} did not end`);
}
