/** Edgewise's API as the page uses it: sign-in, models, the stream of a turn, stop. Conversations: conversations-api.ts. */
import type { ApiFailure } from "./advice.ts";
import type { Source } from "./sources.tsx";
import { readEvents } from "./sse.ts";

export class ApiError extends Error {
  readonly failure: ApiFailure;
  constructor(failure: ApiFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

export type TurnEvent =
  | { readonly type: "started"; readonly responseId: string }
  | { readonly type: "delta"; readonly text: string; readonly reasoning: string }
  /** The answer's sources, sent before its end. */
  | { readonly type: "cited"; readonly sources: readonly Source[] }
  /** @property model the model that answered, not the alias; empty: unknown */
  | { readonly type: "finished"; readonly reason: string; readonly model: string };

export interface Session {
  readonly token: string;
  readonly user: string;
}

/** Only streams take longer. Without this the page would wait for ever on a silently lost connection. */
const longestMs = 30_000;

export async function call(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, signal: init.signal ?? AbortSignal.timeout(longestMs) });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError({
      status: 0,
      code: null,
      message: "The server could not be reached.",
      retryAfterMs: null,
    });
  }
  if (!response.ok) throw new ApiError(await failureIn(response));
  return response;
}

/**
 * Statuses about a credential or an object that only the API may return. A proxy's "not found" page must not make a chat look deleted or the
 * session ended.
 */
const claims: ReadonlySet<number> = new Set([401, 404]);

/** Reads an answer whose status is not 2xx. */
export async function failureIn(response: Response): Promise<ApiFailure> {
  const body: unknown = await response.json().catch(() => null);
  const said = isRecord(body) && isRecord(body["error"]) ? body["error"] : null;
  const error = said ?? {};
  return {
    status: said === null && claims.has(response.status) ? 502 : response.status,
    code: typeof error["code"] === "string" ? error["code"] : null,
    message:
      typeof error["message"] === "string" ? error["message"] : `The server answered ${response.status}.`,
    retryAfterMs: retryAfterMs(response.headers),
    ...limitOf(response.headers),
    ...(typeof error["param"] === "string" ? { param: error["param"] } : {}),
  };
}

/** The exhausted limit; a refusal names one. */
function limitOf(headers: Headers): Pick<ApiFailure, "limit"> {
  for (const unit of ["requests", "tokens"]) {
    const window = headers.get(`x-ratelimit-window-${unit}`);
    const amount = Number(headers.get(`x-ratelimit-limit-${unit}`) ?? Number.NaN);
    if (window !== null && Number.isFinite(amount)) return { limit: { window, amount } };
  }
  return {};
}

function retryAfterMs(headers: Headers): number | null {
  const milliseconds = Number(headers.get("retry-after-ms") ?? Number.NaN);
  if (Number.isFinite(milliseconds)) return milliseconds;
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : null;
}

export const json = (token: string): Record<string, string> => ({
  authorization: `Bearer ${token}`,
  "content-type": "application/json",
});

/** One-click sign-in; `null` if this deployment has none (only a local one does). */
export async function demoSession(): Promise<Session | null> {
  const response = await fetch("/demo/session", { method: "POST" }).catch(() => null);
  if (response === null || !response.ok) return null;
  const body: unknown = await response.json().catch(() => null);
  return isRecord(body) && typeof body["token"] === "string" && typeof body["user"] === "string"
    ? { token: body["token"], user: body["user"] }
    : null;
}

export interface OfferedModel {
  readonly id: string;
  /** Whether it accepts pictures. */
  readonly sees: boolean;
}

/** Throws an ApiError if the token is not accepted. */
export async function listModels(token: string): Promise<readonly OfferedModel[]> {
  const body: unknown = await (await call("/v1/models", { headers: json(token) })).json();
  const data = isRecord(body) && Array.isArray(body["data"]) ? body["data"] : [];
  return data.flatMap((model: unknown) =>
    isRecord(model) && typeof model["id"] === "string" && chats(model)
      ? [{ id: model["id"], sees: sees(model) }]
      : [],
  );
}

/** Embedding and rerank models are listed, too, but can't chat. */
function chats(model: Record<string, unknown>): boolean {
  const capabilities = model["capabilities"];
  return !Array.isArray(capabilities) || capabilities.includes("chat");
}

function sees({ capabilities }: Record<string, unknown>): boolean {
  return Array.isArray(capabilities) && capabilities.includes("vision");
}

/** One turn of a conversation, as it streams. Throws an ApiError when it ends without a finish reason. */
export async function* streamTurn(
  turn: {
    readonly token: string;
    readonly conversation: string;
    readonly model: string;
    readonly text: string;
    /** The same for all attempts to send one message, which makes them one turn. */
    readonly key: string;
    /** The item or branch that it follows; absent: the end of the conversation. */
    readonly behind?: string | undefined;
    /** `data:` URLs. */
    readonly pictures: readonly string[];
    /** Vector stores to answer from; empty: none are named. */
    readonly stores: readonly string[];
  },
  signal: AbortSignal,
): AsyncGenerator<TurnEvent> {
  const response = await call("/v1/chat/completions", {
    method: "POST",
    headers: { ...json(turn.token), "idempotency-key": turn.key },
    signal,
    body: JSON.stringify({
      model: turn.model,
      stream: true,
      conversation_id: turn.conversation,
      ...(turn.behind === undefined ? {} : { parent_item_id: turn.behind }),
      ...(turn.stores.length === 0 ? {} : { retrieval: { vector_store_ids: turn.stores } }),
      messages: [{ role: "user", content: contentOf(turn) }],
    }),
  });
  yield* readTurn(response);
}

function contentOf({
  text,
  pictures,
}: {
  readonly text: string;
  readonly pictures: readonly string[];
}): unknown {
  if (pictures.length === 0) return text;
  return [{ type: "text", text }, ...pictures.map((url) => ({ type: "image_url", image_url: { url } }))];
}

async function* readTurn(response: Response): AsyncGenerator<TurnEvent> {
  const id = response.headers.get("x-edgewise-response-id");
  if (id !== null) yield { type: "started", responseId: id };
  if (response.body === null) throw broken;
  let finish: string | null = null;
  for await (const { data } of readEvents(response.body)) {
    if (data === "[DONE]") break;
    for (const event of turnEvents(data)) {
      yield event;
      if (event.type === "finished") finish = event.reason;
    }
  }
  if (finish === null) throw broken;
}

/** The events in one chunk of an answer. Throws an ApiError for an error event. */
export function turnEvents(data: string): TurnEvent[] {
  const event: unknown = JSON.parse(data);
  if (!isRecord(event)) return [];
  if (isRecord(event["error"])) throw streamError(event["error"]);
  const choice: unknown = Array.isArray(event["choices"]) ? event["choices"][0] : undefined;
  if (!isRecord(choice)) return [];
  const delta = isRecord(choice["delta"]) ? choice["delta"] : {};
  const text = textOf(delta["content"]);
  const reasoning = textOf(delta["reasoning"] ?? delta["reasoning_content"]);
  const events: TurnEvent[] = text === "" && reasoning === "" ? [] : [{ type: "delta", text, reasoning }];
  const sources = sourcesOf(event["citations"]);
  if (sources.length > 0) events.push({ type: "cited", sources });
  const reason = choice["finish_reason"];
  if (typeof reason === "string") events.push({ type: "finished", reason, model: textOf(event["model"]) });
  return events;
}

function sourcesOf(citations: unknown): Source[] {
  if (!Array.isArray(citations)) return [];
  return citations.flatMap((citation: unknown) =>
    isRecord(citation) && typeof citation["index"] === "number"
      ? [
          {
            index: citation["index"],
            filename: textOf(citation["filename"]),
            ...pageOf(citation),
            text: textOf(citation["text"]),
          },
        ]
      : [],
  );
}

/** The page number of a citation or an annotation. */
export function pageOf({ page }: Record<string, unknown>): Pick<Source, "page"> {
  return typeof page === "number" ? { page } : {};
}

/** Stops a turn on the server, so that the model stops too. A turn that has ended by then is no error. */
export async function cancelTurn(token: string, responseId: string): Promise<void> {
  await call(`/v1/chat/completions/${encodeURIComponent(responseId)}/cancel`, {
    method: "POST",
    headers: json(token),
  });
}

/** A stream that just ends was cut off on its way; the turn continues. */
const broken = new ApiError({
  status: 0,
  code: null,
  message: "The answer broke off.",
  retryAfterMs: null,
});

function streamError(error: Record<string, unknown>): ApiError {
  const code = typeof error["code"] === "string" ? error["code"] : null;
  return new ApiError({
    status: 502,
    code,
    message: textOf(error["message"]) || "The answer broke off.",
    retryAfterMs: null,
  });
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
