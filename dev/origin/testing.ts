import { startFleet, type FleetOptions, type RunningReplica } from "./fleet.ts";

/** Helpers for the fleet's tests, which call a replica over real HTTP on a port chosen by the system. */
export const llama = "meta-llama/Llama-3.1-8B-Instruct";
export const qwen = "Qwen/Qwen3-VL-8B-Thinking";

export async function withReplica<T>(
  options: FleetOptions,
  use: (replica: RunningReplica) => Promise<T>,
): Promise<T> {
  const fleet = await startFleet({ basePort: 0, replicas: 1, ttftMs: 0, tokenMs: 0, ...options });
  const replica = fleet.replicas[0];
  if (replica === undefined) throw new Error("no replica was started");
  try {
    return await use(replica);
  } finally {
    await fleet.stop();
  }
}

export async function post(
  replica: RunningReplica,
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(`${replica.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

export interface Answer {
  readonly id: string;
  readonly choices: readonly {
    readonly index: number;
    readonly text?: string;
    readonly finish_reason: string | null;
    readonly stop_reason?: string | number | null;
    readonly logprobs: {
      readonly content: readonly { readonly token: string; readonly logprob: number }[];
    } | null;
    readonly message: Message;
    readonly delta: Message;
  }[];
  readonly usage?: Usage;
  readonly error?: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: number;
  };
}

export interface Message {
  readonly role?: string;
  readonly content?: string | null;
  readonly reasoning?: string;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly {
    readonly index: number;
    readonly id?: string;
    readonly function: { readonly name?: string; readonly arguments: string };
  }[];
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details?: { readonly cached_tokens: number };
}

export async function answerOf(response: Response): Promise<Answer> {
  return (await response.json()) as Answer;
}

/** A chat with one user message and further fields. */
export function chat(content: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { model: llama, messages: [{ role: "user", content }], ...more };
}

/** The payloads of a stream in order, including `[DONE]`. Rejects if the connection is cut. */
export async function payloads(response: Response): Promise<string[]> {
  const text = await response.text();
  return text
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => event.replace(/^data: /, ""));
}

export function chunksOf(events: readonly string[]): Answer[] {
  return events.filter((event) => event !== "[DONE]").map((event) => JSON.parse(event) as Answer);
}

/** The received text when the stream ended in any way. */
export async function readUntilEnd(response: Response): Promise<{ text: string; cut: boolean }> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
    return { text, cut: false };
  } catch {
    // undici reports a cut connection only by an error.
    return { text, cut: true };
  }
}
