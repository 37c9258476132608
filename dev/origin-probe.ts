/**
 * What can the server behind ORIGIN_URL do? Found out by asking it, since vLLM, llama.cpp and Ollama differ: the model
 * list, one answer of one token for each form of usage, and a look at /metrics and /tokenize.
 */
export interface ProbedModel {
  readonly id: string;
  readonly isVllm: boolean;
  readonly contextWindow: number;
  readonly features: {
    readonly stream_usage: boolean;
    readonly continuous_usage: boolean;
    readonly tokenize: boolean;
    readonly metrics: boolean;
    readonly cache_salt: boolean;
  };
}

/** Where the server does not tell its window. Small enough for every model in use; `FLEET` states another. */
export const unknownContextWindow = 8192;
/** Listing is quick; the first token may wait until the model is loaded. */
const listTimeoutMs = 5000;
const answerTimeoutMs = 60_000;

export async function probeServer(url: string): Promise<readonly ProbedModel[]> {
  const response = await fetch(`${url}/v1/models`, { signal: AbortSignal.timeout(listTimeoutMs) }).catch(
    (error: unknown) => {
      throw new Error(
        `no answer from ${url}/v1/models (${error instanceof Error ? error.message : "failed"}). Is the server running?`,
      );
    },
  );
  if (!response.ok) throw new Error(`${url}/v1/models answered ${response.status}.`);
  const body = (await response.json()) as { data?: unknown };
  const listed = Array.isArray(body.data) ? (body.data as Record<string, unknown>[]) : [];
  const [first] = listed;
  if (first === undefined || typeof first["id"] !== "string") return [];
  const metrics = await bodyOf(`${url}/metrics`);
  const isVllm = metrics?.includes("vllm:") === true || first["owned_by"] === "vllm";
  const usage = await probeUsage(url, first["id"]);
  const features = {
    ...usage,
    tokenize: (await statusOf(`${url}/tokenize`, { model: first["id"], prompt: "a" })) === 200,
    metrics: metrics?.includes("vllm:") === true,
    cache_salt: isVllm,
  };
  return listed.flatMap((model) =>
    typeof model["id"] === "string"
      ? [{ id: model["id"], isVllm, contextWindow: windowOf(model), features }]
      : [],
  );
}

/** vLLM says `max_model_len`, llama.cpp `meta.n_ctx` or `meta.n_ctx_train`. */
function windowOf(model: Record<string, unknown>): number {
  const meta = (model["meta"] ?? {}) as Record<string, unknown>;
  for (const known of [model["max_model_len"], meta["n_ctx"], model["context_window"], meta["n_ctx_train"]])
    if (typeof known === "number" && known >= 256) return known;
  return unknownContextWindow;
}

/** One token, with everything asked for; a server that refuses what it does not know is asked for less. */
async function probeUsage(
  url: string,
  model: string,
): Promise<Pick<ProbedModel["features"], "stream_usage" | "continuous_usage">> {
  for (const options of [{ include_usage: true, continuous_usage_stats: true }, { include_usage: true }]) {
    const events = await streamOf(url, {
      model,
      messages: [{ role: "user", content: "Hi" }],
      max_tokens: 2,
      stream: true,
      stream_options: options,
    });
    if (events === null) continue;
    const usages = events.map((event) => ({
      choices: Array.isArray(event["choices"]) ? event["choices"].length : 0,
      usage: event["usage"] ?? null,
    }));
    return {
      stream_usage: usages.some((event) => event.usage !== null),
      continuous_usage:
        "continuous_usage_stats" in options &&
        usages.some((event) => event.choices > 0 && event.usage !== null),
    };
  }
  return { stream_usage: false, continuous_usage: false };
}

async function streamOf(url: string, body: unknown): Promise<Record<string, unknown>[] | null> {
  try {
    const response = await post(`${url}/v1/chat/completions`, body, answerTimeoutMs);
    const text = await response.text();
    if (!response.ok || !text.includes("data:")) return null;
    return text.split("\n").flatMap((line) => {
      const data = line.startsWith("data:") ? line.slice(5).trim() : "";
      return data.startsWith("{") ? [JSON.parse(data) as Record<string, unknown>] : [];
    });
  } catch {
    // A server that breaks off here has none of the features; what it can do shows when it is used.
    return null;
  }
}

async function bodyOf(url: string): Promise<string | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(listTimeoutMs) });
    return response.ok ? await response.text() : null;
  } catch {
    return null;
  }
}

async function statusOf(url: string, body: unknown): Promise<number> {
  try {
    const response = await post(url, body, listTimeoutMs);
    await response.body?.cancel();
    return response.status;
  } catch {
    return 0;
  }
}

function post(url: string, body: unknown, timeoutMs: number): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  });
}
