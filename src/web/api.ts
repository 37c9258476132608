/** Edgewise's API as the page uses it: sign-in, the stream of a turn, stop, and the history of a conversation. */
import type { ApiFailure } from "./advice.ts";
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
  | { readonly type: "finished"; readonly reason: string };

export interface HistoryItem {
  readonly id: string;
  readonly role: "user" | "assistant";
  readonly text: string;
}

export interface Session {
  readonly token: string;
  readonly user: string;
}

async function call(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError({
      status: 0,
      code: null,
      message: "The server could not be reached.",
      retryAfterMs: null,
    });
  }
  if (!response.ok) throw new ApiError(await failureOf(response));
  return response;
}

async function failureOf(response: Response): Promise<ApiFailure> {
  const body: unknown = await response.json().catch(() => null);
  const error = isRecord(body) && isRecord(body["error"]) ? body["error"] : {};
  return {
    status: response.status,
    code: typeof error["code"] === "string" ? error["code"] : null,
    message:
      typeof error["message"] === "string" ? error["message"] : `The server answered ${response.status}.`,
    retryAfterMs: retryAfterMs(response.headers),
  };
}

function retryAfterMs(headers: Headers): number | null {
  const milliseconds = Number(headers.get("retry-after-ms") ?? Number.NaN);
  if (Number.isFinite(milliseconds)) return milliseconds;
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : null;
}

const json = (token: string): Record<string, string> => ({
  authorization: `Bearer ${token}`,
  "content-type": "application/json",
});

/** One-click sign-in; `null` where this deployment has none (anywhere but on a laptop). */
export async function demoSession(): Promise<Session | null> {
  const response = await fetch("/demo/session", { method: "POST" }).catch(() => null);
  if (response === null || !response.ok) return null;
  const body: unknown = await response.json();
  return isRecord(body) && typeof body["token"] === "string" && typeof body["user"] === "string"
    ? { token: body["token"], user: body["user"] }
    : null;
}

/** Throws an ApiError where the token is not accepted. */
export async function listModels(token: string): Promise<readonly string[]> {
  const body: unknown = await (await call("/v1/models", { headers: json(token) })).json();
  const data = isRecord(body) && Array.isArray(body["data"]) ? body["data"] : [];
  return data.flatMap((model: unknown) =>
    isRecord(model) && typeof model["id"] === "string" && chats(model) ? [model["id"]] : [],
  );
}

/** Embedding and rerank models are listed, too, but nobody can talk to them. */
function chats(model: Record<string, unknown>): boolean {
  const capabilities = model["capabilities"];
  return !Array.isArray(capabilities) || capabilities.includes("chat");
}

/** One turn of a conversation, as it streams. Throws an ApiError when it ends without a finish reason. */
export async function* streamTurn(
  turn: {
    readonly token: string;
    readonly conversation: string;
    readonly model: string;
    readonly text: string;
  },
  signal: AbortSignal,
): AsyncGenerator<TurnEvent> {
  const response = await call("/v1/chat/completions", {
    method: "POST",
    headers: json(turn.token),
    signal,
    body: JSON.stringify({
      model: turn.model,
      stream: true,
      conversation_id: turn.conversation,
      messages: [{ role: "user", content: turn.text }],
    }),
  });
  yield* readTurn(response);
}

/** A turn that is still being written, from its first event on; `null`: it has ended, or there is none. */
export async function followTurn(
  token: string,
  responseId: string,
  signal: AbortSignal,
): Promise<AsyncGenerator<TurnEvent> | null> {
  const path = `/v1/chat/completions/${encodeURIComponent(responseId)}`;
  try {
    await call(path, { headers: json(token), signal });
    return null;
  } catch (error) {
    // 409 says that the answer is not whole yet: the only state in which there is something to follow.
    if (!(error instanceof ApiError)) throw error;
    if (error.failure.status !== 409) return null;
  }
  return readTurn(await call(`${path}?stream=true`, { headers: json(token), signal }));
}

async function* readTurn(response: Response): AsyncGenerator<TurnEvent> {
  const id = response.headers.get("x-edgewise-response-id");
  if (id !== null) yield { type: "started", responseId: id };
  if (response.body === null) throw broken;
  let finish: string | null = null;
  for await (const data of readEvents(response.body)) {
    if (data === "[DONE]") break;
    const event: unknown = JSON.parse(data);
    if (!isRecord(event)) continue;
    if (isRecord(event["error"])) throw streamError(event["error"]);
    const choice: unknown = Array.isArray(event["choices"]) ? event["choices"][0] : undefined;
    if (!isRecord(choice)) continue;
    const delta = isRecord(choice["delta"]) ? choice["delta"] : {};
    const text = textOf(delta["content"]);
    const reasoning = textOf(delta["reasoning"] ?? delta["reasoning_content"]);
    if (text !== "" || reasoning !== "") yield { type: "delta", text, reasoning };
    if (typeof choice["finish_reason"] === "string") finish = choice["finish_reason"];
  }
  if (finish === null) throw broken;
  yield { type: "finished", reason: finish };
}

/** Stops a turn on the server, so that the model stops too. A turn that has ended by then is no error. */
export async function cancelTurn(token: string, responseId: string): Promise<void> {
  await call(`/v1/chat/completions/${encodeURIComponent(responseId)}/cancel`, {
    method: "POST",
    headers: json(token),
  });
}

/** The conversation's messages, oldest first; empty where it does not exist (yet). */
export async function loadHistory(token: string, conversation: string): Promise<readonly HistoryItem[]> {
  try {
    const response = await call(
      `/v1/conversations/${encodeURIComponent(conversation)}/items?limit=100&order=desc`,
      {
        headers: json(token),
      },
    );
    const body: unknown = await response.json();
    const data: unknown[] = isRecord(body) && Array.isArray(body["data"]) ? body["data"] : [];
    return data.flatMap(historyItem).reverse();
  } catch (error) {
    if (error instanceof ApiError && error.failure.status === 404) return [];
    throw error;
  }
}

function historyItem(item: unknown): HistoryItem[] {
  if (!isRecord(item) || typeof item["id"] !== "string") return [];
  const role = item["role"];
  if (role !== "user" && role !== "assistant") return [];
  const parts: unknown[] = Array.isArray(item["content"]) ? item["content"] : [];
  const text = parts.map((part) => (isRecord(part) ? textOf(part["text"]) : "")).join("");
  return text === "" ? [] : [{ id: item["id"], role, text }];
}

const broken = new ApiError({
  status: 502,
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

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
