/**
 * What does the server at ORIGIN_URL support? It is probed, since vLLM, llama.cpp and Ollama differ: the model list, one answer
 * of two tokens for each form of usage and one of two choices, and requests to /metrics and /tokenize.
 */
export interface ProbedModel {
  /** The server's own name for it. */
  readonly id: string;
  readonly isVllm: boolean;
  readonly contextWindow: number;
  readonly features: {
    readonly stream_usage: boolean;
    readonly continuous_usage: boolean;
    readonly tokenize: boolean;
    readonly metrics: boolean;
    readonly cache_salt: boolean;
    readonly choices: boolean;
  };
}

export interface ProbedServer {
  readonly models: readonly ProbedModel[];
  /** The first one that can chat: servers list models by age or name, including those for embeddings. */
  readonly chats: ProbedModel | null;
  /** It took connections and did not answer all of it in time: what it did not tell is taken for what it can't do. */
  readonly isSlow: boolean;
}

/** Used if the server does not report its window. Small enough for every common model; `FLEET` can set another. */
const unknownContextWindow = 8192;
const largestContextWindow = 10_000_000;
const longestName = 256;
const listTimeoutMs = 5000;
/** Of the look, for answers that need no model. */
const sideTimeoutMs = 2000;
/** The most models tried before concluding that none can chat. A refusal is quick. */
const mostAsked = 8;

type Listed = Readonly<Record<string, unknown>> & { readonly id: string };
type Usage = Pick<ProbedModel["features"], "stream_usage" | "continuous_usage">;

/** Rejects with a sentence about a fault of the server's list. @param lookMs for everything that is requested after the list */
export async function probeServer(url: string, lookMs: number): Promise<ProbedServer> {
  const listed = await listModels(url);
  const [first] = listed;
  if (first === undefined) return { models: [], chats: null, isSlow: false };
  const look = AbortSignal.timeout(lookMs);
  const metrics = await bodyOf(`${url}/metrics`, look);
  const hasOwnMetrics = metrics?.includes("vllm:") === true;
  const isVllm = hasOwnMetrics || first["owned_by"] === "vllm";
  const { chats, usage } = await firstThatChats(url, listed, look);
  const features = {
    ...usage,
    tokenize: (await statusOf(`${url}/tokenize`, { model: (chats ?? first).id, prompt: "a" }, look)) === 200,
    metrics: hasOwnMetrics,
    cache_salt: isVllm,
    choices: isVllm || (chats !== null && (await givesChoices(url, chats.id, look))),
  };
  const models = listed.map((model) => ({
    id: model.id,
    isVllm,
    contextWindow: windowOf(model),
    features,
  }));
  return { models, chats: models.find(({ id }) => id === chats?.id) ?? null, isSlow: look.aborted };
}

/** Each once, in the server's order. */
async function listModels(url: string): Promise<readonly Listed[]> {
  const at = `${url}/v1/models`;
  const response = await fetch(at, {
    // The router follows no redirects, either: a redirect means that the URL is not right.
    redirect: "manual",
    signal: AbortSignal.timeout(listTimeoutMs),
  }).catch((error: unknown) => {
    throw new Error(`no answer from ${at} (${reasonOf(error)}). Is the server running?`);
  });
  const { status } = response;
  if (status >= 300 && status < 400)
    throw new Error(`${at} leads to ${response.headers.get("location") ?? "another URL"}. Name that server.`);
  if (status === 401 || status === 403)
    throw new Error(
      `${at} answered ${status}: it wants a key. That is a secret, which a fleet file names (FLEET, docs/serving.md).`,
    );
  if (!response.ok) throw new Error(`${at} answered ${status}.`);
  const data = dataOf(
    await response.text().catch((error: unknown) => {
      throw new Error(`${at} broke off (${reasonOf(error)}).`);
    }),
  );
  if (data === null) throw new Error(`${at} answered no list of models. Is that a server of OpenAI's API?`);
  return [...new Map(data.filter(isListed).map((model) => [model.id, model])).values()];
}

/** Null: not a list. Without any model Ollama returns null as its list. */
function dataOf(text: string): readonly unknown[] | null {
  try {
    const body = JSON.parse(text) as { data?: unknown } | null;
    if (body?.data === null) return [];
    return Array.isArray(body?.data) ? body.data : null;
  } catch {
    // Usually an HTML page.
    return null;
  }
}

function isListed(model: unknown): model is Listed {
  if (typeof model !== "object" || model === null || !("id" in model)) return false;
  return typeof model.id === "string" && model.id !== "" && model.id.length <= longestName;
}

/** undici's "fetch failed" has the reason as its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "failed";
  const { cause } = error;
  return cause instanceof Error ? cause.message || String(Reflect.get(cause, "code")) : error.message;
}

/** vLLM reports `max_model_len`, llama.cpp `meta.n_ctx` or `meta.n_ctx_train`. */
function windowOf(model: Listed): number {
  const meta = (model["meta"] ?? {}) as Record<string, unknown>;
  for (const known of [model["max_model_len"], meta["n_ctx"], model["context_window"], meta["n_ctx_train"]])
    if (typeof known === "number" && known >= 256) return Math.min(Math.floor(known), largestContextWindow);
  return unknownContextWindow;
}

async function firstThatChats(
  url: string,
  listed: readonly Listed[],
  look: AbortSignal,
): Promise<{ readonly chats: Listed | null; readonly usage: Usage }> {
  for (const model of listed.slice(0, mostAsked)) {
    const usage = await probeUsage(url, model.id, look);
    if (usage !== null) return { chats: model, usage };
  }
  return { chats: null, usage: noUsage };
}

const noUsage: Usage = { stream_usage: false, continuous_usage: false };

/**
 * Requests a short answer with all forms of usage; if the server refuses an unknown field, requests less. Null: it refuses everything.
 * A server that breaks off, or is too slow, is not tried again: its abilities show in use.
 */
async function probeUsage(url: string, model: string, look: AbortSignal): Promise<Usage | null> {
  const streamOptions = [
    { include_usage: true, continuous_usage_stats: true },
    { include_usage: true },
    null,
  ];
  for (const options of streamOptions) {
    const events = await streamOf(url, look, {
      ...aWord(model),
      ...(options === null ? {} : { stream_options: options }),
    });
    if (events === "broken") return noUsage;
    if (events === "refused") continue;
    const usages = events.map((event) => ({
      choices: Array.isArray(event["choices"]) ? event["choices"].length : 0,
      usage: event["usage"] ?? null,
    }));
    return {
      stream_usage: options !== null && usages.some((event) => event.usage !== null),
      continuous_usage:
        options !== null &&
        "continuous_usage_stats" in options &&
        usages.some((event) => event.choices > 0 && event.usage !== null),
    };
  }
  return null;
}

/** Requests two answers of two tokens. A server that supports only one choice refuses the field or ignores it. */
async function givesChoices(url: string, model: string, look: AbortSignal): Promise<boolean> {
  const events = await streamOf(url, look, { ...aWord(model), n: 2 });
  if (typeof events === "string") return false;
  const choices = events.flatMap((event) =>
    Array.isArray(event["choices"]) ? (event["choices"] as unknown[]) : [],
  );
  return choices.some(
    (choice) => typeof choice === "object" && choice !== null && "index" in choice && choice.index === 1,
  );
}

function aWord(model: string): object {
  return { model, messages: [{ role: "user", content: "Hi" }], max_tokens: 2, stream: true };
}

type Events = readonly Readonly<Record<string, unknown>>[];

async function streamOf(
  url: string,
  look: AbortSignal,
  body: unknown,
): Promise<Events | "refused" | "broken"> {
  try {
    const response = await post(`${url}/v1/chat/completions`, body, look);
    const text = await response.text();
    if (!response.ok || !text.includes("data:")) return "refused";
    const events = text.split("\n").flatMap((line) => {
      const data = line.startsWith("data:") ? line.slice(5).trim() : "";
      return data.startsWith("{") ? [JSON.parse(data) as Record<string, unknown>] : [];
    });
    // vLLM's errors come under HTTP 200, too.
    return events.some((event) => "error" in event) ? "refused" : events;
  } catch {
    // Cut off, or not JSON: the caller assumes a server that supports only chats.
    return "broken";
  }
}

async function bodyOf(url: string, look: AbortSignal): Promise<string | null> {
  try {
    const response = await fetch(url, { signal: briefly(look) });
    return response.ok ? await response.text() : null;
  } catch {
    return null;
  }
}

async function statusOf(url: string, body: unknown, look: AbortSignal): Promise<number> {
  try {
    const response = await post(url, body, briefly(look));
    await response.body?.cancel();
    return response.status;
  } catch {
    return 0;
  }
}

function briefly(look: AbortSignal): AbortSignal {
  return AbortSignal.any([look, AbortSignal.timeout(sideTimeoutMs)]);
}

function post(url: string, body: unknown, signal: AbortSignal): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
}
