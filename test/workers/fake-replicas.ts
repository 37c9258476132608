/**
 * A fleet without a network: replicas that behave as told, phase by phase, and remember what reached them. For tests of the
 * router in Node and in workerd.
 */
import {
  fleetSchema,
  type Cluster,
  type Fleet,
  type Replica,
} from "../../src/shared/routing/fleet/fleet-config.ts";
import { replicaTarget, type ReplicaTarget } from "../../src/shared/routing/replica-target.ts";
import type { Transport } from "../../src/shared/routing/attempt.ts";
import type { OriginRequest } from "../../src/shared/routing/ports.ts";

export type Behaviour =
  | "well"
  | "refuse"
  | "500"
  | "408"
  | "429"
  | "302"
  | "stall-before-headers"
  | "stall-before-body"
  | "cut-before-body"
  | "empty-body"
  | "error-event"
  | "cut-short"
  | "page"
  /** A JSON object that is no answer. */
  | "another-object"
  | "cut-after-first"
  | "stall-after-first"
  | "no-such-model"
  | "bad-request"
  | "bad-request-event"
  | "context-too-long";

/** Faults that end before the first byte of an answer and are the replica's, not the request's. */
export const invisibleFaults: readonly Behaviour[] = [
  "refuse",
  "500",
  "408",
  "429",
  "302",
  "no-such-model",
  "cut-before-body",
  "empty-body",
  "error-event",
  "page",
];

export interface ReceivedCall {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  aborted: boolean;
}

export const sentChunks = [
  'data: {"id":"one","choices":[]}\n\n',
  'data: {"id":"two"}\n\n',
  "data: [DONE]\n\n",
];

/** What one that was not asked to stream answers, in two pieces. */
export const sentWhole = ['{"id":"one",', '"choices":[]}'];

const encoder = new TextEncoder();
const contextError =
  "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4900 in the messages, 100 in the completion). Please reduce the length.";

export class FakeReplicas {
  readonly calls: ReceivedCall[] = [];
  readonly behaviour = new Map<string, Behaviour>();
  health: (host: string) => number = () => 200;
  metrics = 'vllm:num_requests_running{model_name="m"} 0\n';

  readonly transport: Transport = async (url, init) => {
    const { host, pathname } = new URL(url);
    if (pathname === "/health") return new Response(null, { status: this.health(host) });
    if (pathname === "/metrics") return new Response(this.metrics);
    const call: ReceivedCall = {
      url,
      headers: Object.fromEntries(new Headers(init.headers)),
      body: typeof init.body === "string" ? init.body : "",
      aborted: false,
    };
    this.calls.push(call);
    const { signal } = init;
    if (!signal) throw new Error("every attempt has a signal");
    signal.addEventListener("abort", () => (call.aborted = true));
    const whole = call.headers["accept"] === "application/json";
    return answer(this.behaviour.get(host) ?? "well", signal, whole);
  };

  /** Calls that reached a model, in order, by replica host. */
  get hosts(): string[] {
    return this.calls.map((call) => new URL(call.url).host);
  }
}

async function answer(behaviour: Behaviour, signal: AbortSignal, whole: boolean): Promise<Response> {
  switch (behaviour) {
    case "refuse":
      throw new TypeError("connection refused");
    case "500":
      return new Response("oops", { status: 500 });
    case "408":
      return new Response("", { status: 408 });
    case "302":
      return new Response("", { status: 302, headers: { location: "http://elsewhere.test/" } });
    case "no-such-model":
      return new Response(
        '{"error":{"message":"The model `M` does not exist.","type":"NotFoundError","param":"model","code":404}}',
        { status: 404 },
      );
    case "429":
      return new Response('{"error":{"message":"slow down","code":429}}', { status: 429 });
    case "bad-request":
      return new Response(
        '{"object":"error","message":"\'temperature\' is wrong","type":"BadRequestError","code":400}',
        {
          status: 400,
        },
      );
    case "context-too-long":
      return new Response(JSON.stringify({ error: { message: contextError, code: 400 } }), { status: 400 });
    case "stall-before-headers":
      await aborted(signal);
      throw new DOMException("aborted", "AbortError");
    case "another-object":
      return new Response('{"works":true}', { headers: { "content-length": "14" } });
    case "page":
      return new Response("<html>Sign in</html>", { headers: { "content-type": "text/html" } });
    default:
      return stream(behaviour, signal, whole ? sentWhole : sentChunks);
  }
}

function stream(behaviour: Behaviour, signal: AbortSignal, sent: readonly string[]): Response {
  const chunks =
    behaviour === "error-event"
      ? ['data: {"error": {"message": "engine died", "code": 500}}\n\n']
      : behaviour === "bad-request-event"
        ? ['data: {"error": {"message": "no such grammar", "code": 400}}\n\n']
        : behaviour === "empty-body"
          ? []
          : behaviour === "cut-short"
            ? sent.slice(0, 1)
            : sent;
  let next = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        if (signal.aborted) return controller.error(new DOMException("aborted", "AbortError"));
        if (behaviour === "cut-before-body" || (behaviour === "cut-after-first" && next === 1))
          return controller.error(new TypeError("connection lost"));
        if (behaviour === "stall-before-body" || (behaviour === "stall-after-first" && next === 1)) {
          await aborted(signal);
          return controller.error(new DOMException("aborted", "AbortError"));
        }
        const chunk = chunks[next];
        next += 1;
        if (chunk === undefined) controller.close();
        else controller.enqueue(encoder.encode(chunk));
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve());
  });
}

/** Clusters `c0`, `c1`, … on the equator, 30° apart, with so many replicas each, at `http://c0r0.test`, … */
export function fakeFleet(...replicas: readonly number[]): Fleet {
  return fleetSchema.parse({
    version: "1",
    clusters: replicas.map((count, at) => ({
      id: `c${at}`,
      region: `r${at}`,
      longitude: at * 30,
      replicas: Array.from({ length: count }, (_, index) => ({
        id: `r${index}`,
        url: `http://c${at}r${index}.test`,
        slots: 4,
      })),
      models: [{ id: "m", served_name: "M", context_window: 4096 }],
    })),
    aliases: { auto: { models: ["m"] } },
  });
}

/** The first replica of the first cluster of a fake fleet, changed as wanted. */
export function fakeTarget(cluster: Partial<Cluster> = {}, replica: Partial<Replica> = {}): ReplicaTarget {
  const [first] = fakeFleet(1).clusters;
  const [one] = first?.replicas ?? [];
  if (first === undefined || one === undefined) throw new Error("a fake fleet without a replica");
  return replicaTarget({ ...first, ...cluster }, { ...one, ...replica });
}

export function fakeRequest(clusters: readonly string[], change: Partial<OriginRequest> = {}): OriginRequest {
  return {
    requestId: "request-1",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    clusters,
    model: "m",
    path: "/v1/chat/completions",
    body: '{"model":"M","stream":true}',
    stream: true,
    tenant: "tenant",
    tier: "pro",
    tokens: 100,
    promptTokens: 80,
    affinity: null,
    place: {},
    deadlineMs: 60_000,
    ...change,
  };
}
