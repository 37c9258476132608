/** The binding AI as the network port: a request to an engine in, a call of `run`, a response of an engine out. */
import type { OriginPath } from "../ports.ts";
import { workersAiInput, type WorkersAiInput } from "./workers-ai-input.ts";
import { outputStream, wholeOutput, type OutputFrame } from "./workers-ai-output.ts";

/** What is used of the binding (https://developers.cloudflare.com/workers-ai/configuration/bindings/). */
export interface AiRunner {
  /** A stream of events where the input says `stream`, else the answer. */
  run(model: string, input: WorkersAiInput, options: { readonly signal?: AbortSignal }): Promise<unknown>;
}

export interface WorkersAiOptions {
  readonly ai: AiRunner;
  readonly now: () => number;
  readonly newId: () => string;
}

export function workersAiTransport({
  ai,
  now,
  newId,
}: WorkersAiOptions): (url: string, init: RequestInit) => Promise<Response> {
  return async function run(url, init) {
    const path = new URL(url).pathname as OriginPath;
    const body = JSON.parse(typeof init.body === "string" ? init.body : "{}") as Record<string, unknown>;
    const input = workersAiInput(path, body);
    if (!input.ok) return refused(400, `Workers AI knows no ${input.error}`);
    const model = String(body["model"]);
    const frame: OutputFrame = {
      path,
      model,
      maxTokens: typeof body["max_tokens"] === "number" ? body["max_tokens"] : defaultMaxTokens,
      stops: stopsOf(body["stop"]),
      nowMs: now(),
      newId,
    };
    let output: unknown;
    try {
      output = await ai.run(model, input.value, init.signal ? { signal: init.signal } : {});
    } catch (error) {
      const status = statusOf(error);
      if (status === null) throw error;
      return refused(status, "Workers AI refused");
    }
    if (output instanceof ReadableStream)
      return new Response((output as ReadableStream<Uint8Array>).pipeThrough(outputStream(frame)), {
        headers: { "content-type": "text/event-stream" },
      });
    const whole = wholeOutput(output, frame);
    if (whole === null) return refused(502, "Workers AI's answer is none");
    return new Response(whole, { headers: { "content-type": "application/json" } });
  };
}

/** The binding's own, where the input names no length (its published schema of text generation). */
const defaultMaxTokens = 256;

function refused(status: number, message: string): Response {
  return Response.json({ error: { message, type: "workers_ai", code: status } }, { status });
}

/** Internal codes of what it throws (https://developers.cloudflare.com/workers-ai/platform/errors/), as HTTP statuses. */
const statuses: ReadonlyMap<number, number> = new Map([
  [3003, 400],
  [3006, 413],
  [3007, 408],
  [3008, 408],
  [3023, 403],
  [3036, 429],
  [3039, 400],
  [3040, 429],
  [3041, 403],
  [3042, 404],
  [5004, 400],
  [5005, 405],
  // "No such model", which is 400 there: its name is the fleet file's, and no fault of the request.
  [5007, 404],
  [5016, 403],
  [5018, 403],
]);

/** The text of an error can echo the prompt: only its code is read. `null`: it names none. */
function statusOf(error: unknown): number | null {
  const code = /\b([35]\d{3}):/.exec(error instanceof Error ? error.message : "")?.[1];
  return code === undefined ? null : (statuses.get(Number(code)) ?? null);
}

function stopsOf(stop: unknown): readonly string[] {
  if (typeof stop === "string") return [stop];
  return Array.isArray(stop) ? (stop as readonly unknown[]).filter((one) => typeof one === "string") : [];
}
