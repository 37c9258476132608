/** Workers AI for tests: a binding that answers what it is told to, and remembers what it was asked. */
import type { WorkersAiInput } from "./workers-ai-input.ts";
import { workersAiTransport } from "./workers-ai-transport.ts";

const base = "https://workers-ai.invalid";
export const model = "@cf/meta/llama-3.1-8b-instruct-fp8";

interface Run {
  readonly model: string;
  readonly input: WorkersAiInput;
  readonly signal: AbortSignal | undefined;
}

export function mount(output: unknown) {
  const runs: Run[] = [];
  let ids = 0;
  const transport = workersAiTransport({
    ai: {
      run(name, input, { signal }) {
        runs.push({ model: name, input, signal });
        return output instanceof Error ? Promise.reject(output) : Promise.resolve(output);
      },
    },
    now: () => 1_790_000_000_000,
    newId: () => `id-${(ids += 1)}`,
  });
  const chat = (body: object, path = "/v1/chat/completions", init: RequestInit = {}) =>
    transport(base + path, {
      method: "POST",
      body: JSON.stringify({ model, messages: [{ role: "user", content: "Hi" }], ...body }),
      ...init,
    });
  return { runs, chat };
}

/** As the binding streams them: bytes that need not end where an event does. */
export function streamOf(text: string, size = 7): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, (at += size)));
    },
  });
}

export async function chunksOf(response: Response): Promise<unknown[]> {
  const text = await response.text();
  return text
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => (event === "data: [DONE]" ? "[DONE]" : (JSON.parse(event.slice(6)) as unknown)));
}
