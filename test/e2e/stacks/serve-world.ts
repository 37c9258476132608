/**
 * The bundle as it ships on plain workerd, in front of a dev fleet in this very process: real sockets that can be reset,
 * replicas that can be killed, and no proxy between.
 */
import { inject } from "vitest";
import { startServe, type RouterMount } from "../../../dev/serve/start-serve.ts";
import {
  startFleet,
  type FleetOptions,
  type RunningFleet,
  type RunningReplica,
} from "../../../dev/origin/fleet.ts";
import type { RequestRecord } from "../../../dev/origin/server/request-log.ts";
import { freePort } from "../../../dev/start/free-ports.ts";
import { isOf } from "../engine-id.ts";
import { keepAsking, LastLines } from "../last-words.ts";
import { vanishingClient, type VanishingClient } from "./vanishing-client.ts";

export interface ServeWorld {
  readonly url: string;
  readonly fleet: RunningFleet;
  /** The request records that the product logged, as far as they are written. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  post(token: string, body: unknown, more?: PostOptions): Promise<Response>;
  /** A client on a bare socket, which can vanish by a reset. */
  vanishing(token: string, body: unknown, requestId: string): VanishingClient;
  usageOf(token: string): Promise<Standing>;
  /** What reached the fleet under this id. */
  received(requestId: string): readonly RequestRecord[];
  stop(): Promise<void>;
}

export interface PostOptions {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** `user` of `GET /v1/usage`. */
export interface Standing {
  readonly used: Amounts;
  readonly reserved: Amounts;
  readonly unsettled: Amounts;
}
interface Amounts {
  readonly requests: number;
  readonly tokens: number;
}

export interface ServeWorldOptions {
  readonly router?: RouterMount;
  readonly fleet?: FleetOptions;
  readonly kvSeeds?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export async function startServeWorld(options: ServeWorldOptions = {}): Promise<ServeWorld> {
  const fleet = await startFleet({ basePort: 0, ttftMs: 0, tokenMs: 0, ...options.fleet });
  const log: Readonly<Record<string, unknown>>[] = [];
  const port = await freePort();
  const printed = new LastLines();
  const serve = await startServe({
    bundles: { ...inject("bundles"), remove: () => Promise.resolve() },
    port,
    router: options.router ?? "in-process",
    fleet: fleet.fleet,
    ...(options.kvSeeds === undefined ? {} : { kvSeeds: options.kvSeeds }),
    onLine: (line) => {
      printed.add(line);
      if (line.startsWith('{"event":"request"')) log.push(JSON.parse(line) as Record<string, unknown>);
    },
  }).catch(async (error: unknown) => {
    await fleet.stop();
    throw error;
  });
  const { url } = serve;
  const forget = keepAsking(`the product at ${url} printed last`, printed.text);
  return {
    url,
    fleet,
    log,
    post: (token, body, { path = "/v1/chat/completions", headers = {}, signal } = {}) =>
      fetch(url + path, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
        ...(signal === undefined ? {} : { signal }),
      }),
    vanishing: (token, body, requestId) =>
      vanishingClient(port, token, JSON.stringify(body), { "x-request-id": requestId }),
    async usageOf(token) {
      const response = await fetch(`${url}/v1/usage`, { headers: { authorization: `Bearer ${token}` } });
      return ((await response.json()) as { user: Standing }).user;
    },
    received: (requestId) =>
      fleet.replicas
        .flatMap((replica) => replica.requests())
        .filter(({ headers }) => isOf(headers["x-request-id"], requestId)),
    async stop() {
      forget();
      await serve.stop();
      await fleet.stop();
    },
  };
}

export function replicaAt(world: ServeWorld, at: number): RunningReplica {
  const replica = world.fleet.replicas[at];
  if (replica === undefined) throw new Error(`no replica ${at}`);
  return replica;
}
