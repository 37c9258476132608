import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import {
  prepareChat,
  preparePlain,
  serve,
  type GenerationDeps,
  type Prepare,
  type Prepared,
} from "../api/generation-routes.ts";
import { detokenize, modelList, tokenize } from "../api/model-routes.ts";
import { embeddings, rerank } from "../api/pooling-routes.ts";
import type { ServedModel } from "../catalog.ts";
import type { EngineParts } from "../engine/generation.ts";
import { EngineMetrics } from "../engine/metrics.ts";
import { PrefixCache } from "../engine/prefix-cache.ts";
import { invalid, type EngineRefusal } from "../engine/refusal.ts";
import { Scheduler } from "../engine/scheduler.ts";
import { devRoute, type ReplicaSettings } from "./dev-routes.ts";
import { Exchange } from "./exchange.ts";
import { FaultBoard } from "./faults.ts";
import { RequestLog } from "./request-log.ts";

/** One replica on its port: vLLM's OpenAI server, with `/_dev/*` in addition. */
export interface ReplicaOptions {
  readonly models: ReadonlyMap<string, ServedModel>;
  readonly settings: ReplicaSettings;
  readonly slots: number;
  /** Records nothing, for benchmarks. */
  readonly quiet: boolean;
}

type Route = (exchange: Exchange, body: unknown, deps: GenerationDeps) => void;

const posts: Readonly<Record<string, Route>> = {
  "/v1/embeddings": embeddings,
  "/v1/rerank": rerank,
  "/rerank": rerank,
  "/tokenize": tokenize,
  "/detokenize": detokenize,
};
const generations: Readonly<Record<string, Prepare>> = {
  "/v1/chat/completions": prepareChat,
  "/v1/completions": preparePlain,
};
const gets = new Set(["/health", "/ping", "/version", "/metrics", "/v1/models"]);
const vllmVersion = "0.11.0";
/** KV blocks of the simulated GPU for each model: 256 K tokens. */
const totalBlocks = 16_384;
const maxBodyBytes = 64 * 1024 * 1024;
/** When quiet, the most answers kept by body, and the longest body kept: benchmarks repeat bodies. */
const maxKept = 256;
const maxKeptCharacters = 16_384;

export class Replica {
  readonly faults = new FaultBoard();
  readonly log: RequestLog | undefined;
  readonly scheduler: Scheduler;
  readonly server: Server;
  readonly #options: ReplicaOptions;
  readonly #deps: GenerationDeps;
  readonly #metrics: EngineMetrics;
  readonly #caches: ReadonlyMap<string, PrefixCache>;
  readonly #kept = new Map<string, Prepared>();
  readonly #startedMs = Date.now();

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.log = options.quiet ? undefined : new RequestLog();
    this.scheduler = new Scheduler(options.slots);
    const names = [...options.models.keys()];
    this.#metrics = new EngineMetrics(names);
    const caches = new Map(names.map((name) => [name, new PrefixCache(totalBlocks)]));
    this.#caches = caches;
    const engine: EngineParts = {
      scheduler: this.scheduler,
      metrics: this.#metrics,
      speed: options.settings,
      cacheOf(model) {
        const cache = caches.get(model);
        if (cache === undefined) throw new Error(`no prefix cache for ${model}`);
        return cache;
      },
    };
    this.#deps = { engine, models: options.models, settings: options.settings, running: new Set() };
    this.server = createServer({ keepAliveTimeout: 65_000 }, (request, response) =>
      this.#accept(request, response),
    );
  }

  #accept(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? "/";
    const query = url.indexOf("?");
    const path = query === -1 ? url : url.slice(0, query);
    const method = request.method ?? "GET";
    const dev = path.startsWith("/_dev/");
    const recorded = method === "POST" && !dev;
    const fault = dev ? undefined : this.faults.take(path);
    const record = recorded ? this.log?.open(method, path, request.headers) : undefined;
    const exchange = new Exchange(request, response, path, record, fault);
    if (fault?.fault === "refuse") {
      exchange.cut(true);
      return;
    }
    if (method === "GET" || method === "HEAD") {
      request.resume();
      this.#pass(exchange, () => this.#get(exchange, dev));
      return;
    }
    readBody(request, (text) => this.#pass(exchange, () => this.#guarded(exchange, method, text, dev)));
  }

  /** Applies faults that come before the route. */
  #pass(exchange: Exchange, next: () => void): void {
    const { fault } = exchange;
    if (fault?.fault === "cut_before_headers") exchange.cut(true);
    else if (fault?.fault === "slow_headers")
      setTimeout(() => !exchange.gone && next(), fault.delay_ms).unref();
    else if (fault?.fault === "status") {
      const wait = fault.retry_after;
      exchange.settle("faulted");
      exchange.sendJson(
        fault.status,
        fault.body ??
          JSON.stringify({
            error: { message: "A fault was set.", type: "DevFault", param: null, code: fault.status },
          }),
        {
          ...(wait == null ? {} : { "retry-after": String(wait) }),
          ...(fault.content_type == null ? {} : { "content-type": fault.content_type }),
        },
      );
    } else next();
  }

  #get(exchange: Exchange, dev: boolean): void {
    switch (exchange.path) {
      case "/health":
      case "/ping":
        return exchange.sendJson(200, "");
      case "/version":
        return exchange.sendJson(200, JSON.stringify({ version: vllmVersion }));
      case "/v1/models":
        return exchange.sendJson(200, modelList(this.#options.models, this.#startedMs));
      case "/metrics":
        return exchange.sendJson(200, this.#metrics.render(this.scheduler, this.#caches, totalBlocks), {
          "content-type": "text/plain; version=0.0.4; charset=utf-8",
        });
      default:
        if (dev && this.#dev(exchange, "GET", undefined)) return;
        exchange.refuse(exchange.path in posts || exchange.path in generations ? notAllowed : notFound);
    }
  }

  /** An internal fault of the stand-in is a 500 for one client, not the end of the fleet. */
  #guarded(exchange: Exchange, method: string, text: string | undefined, dev: boolean): void {
    try {
      this.#post(exchange, method, text, dev);
    } catch (error) {
      console.error(error);
      if (exchange.response.headersSent) exchange.cut(true);
      else exchange.refuse(internal);
    }
  }

  #post(exchange: Exchange, method: string, text: string | undefined, dev: boolean): void {
    if (text === undefined) return exchange.refuse(tooLarge);
    const { path, record } = exchange;
    if (dev) {
      if (!this.#dev(exchange, method, parseJson(text))) exchange.refuse(notFound);
      return;
    }
    const prepare = generations[path];
    const route = posts[path];
    if ((route === undefined && prepare === undefined) || method !== "POST")
      return exchange.refuse(
        route !== undefined || prepare !== undefined || gets.has(path) ? notAllowed : notFound,
      );
    if (!isJson(exchange.request)) return exchange.refuse(mediaType);
    const key = record === undefined && prepare !== undefined ? path + text : undefined;
    const kept = key === undefined ? undefined : this.#kept.get(key);
    if (kept !== undefined) return serve(exchange, kept, this.#deps);
    const body = parseJson(text);
    if (record !== undefined) {
      record.body = body ?? text;
      record.model = modelOf(body);
    }
    if (body === undefined) return exchange.refuse(notJson);
    if (prepare === undefined) return route?.(exchange, body, this.#deps);
    const prepared = prepare(body, this.#deps);
    if (!prepared.ok) return exchange.refuse(prepared.error);
    if (key !== undefined && key.length <= maxKeptCharacters) this.#keep(key, prepared.value);
    serve(exchange, prepared.value, this.#deps);
  }

  #keep(key: string, prepared: Prepared): void {
    if (this.#kept.size >= maxKept) {
      const oldest = this.#kept.keys().next();
      if (!oldest.done) this.#kept.delete(oldest.value);
    }
    this.#kept.set(key, prepared);
  }

  #dev(exchange: Exchange, method: string, body: unknown): boolean {
    const { faults, log, scheduler } = this;
    return devRoute(exchange, method, body, { faults, log, scheduler, settings: this.#options.settings });
  }
}

const notFound: EngineRefusal = { status: 404, type: "Not Found", message: "Not Found", param: null };
const notAllowed: EngineRefusal = {
  status: 405,
  type: "Method Not Allowed",
  message: "Method Not Allowed",
  param: null,
};
const tooLarge: EngineRefusal = {
  status: 413,
  type: "Request Entity Too Large",
  message: "The body is too large.",
  param: null,
};

const internal: EngineRefusal = {
  status: 500,
  type: "InternalServerError",
  message: "Internal server error",
  param: null,
};
const mediaType = invalid("Unsupported Media Type: Only 'application/json' is allowed").error;
const notJson = invalid(
  "1 validation error:\n  {'type': 'json_invalid', 'loc': ('body', 0), 'msg': 'JSON decode error'}",
).error;

function isJson(request: IncomingMessage): boolean {
  return (request.headers["content-type"] ?? "").toLowerCase().startsWith("application/json");
}

function modelOf(body: unknown): string | null {
  if (typeof body !== "object" || body === null || !("model" in body)) return null;
  return typeof body.model === "string" ? body.model : null;
}

/** Calls `done` with undefined if the body exceeds the limit; not at all if the client leaves before the end. */
function readBody(request: IncomingMessage, done: (text: string | undefined) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBodyBytes) chunks.push(chunk);
  });
  request.on("end", () => {
    if (bytes > maxBodyBytes) return done(undefined);
    const only = chunks[0];
    done(chunks.length === 1 && only !== undefined ? only.toString() : Buffer.concat(chunks).toString());
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // JSON can only be checked by parsing it; the caller refuses.
    return undefined;
  }
}
