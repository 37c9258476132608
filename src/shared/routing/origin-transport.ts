/**
 * How does a request reach a replica, and with which credentials? Over the internet, through a VPC network binding, through Access with a service token,
 * with an API key, or into the binding AI; in the engine's dialect; signed. Decided once per replica and fleet document.
 *
 *   engine's words ▸ credentials ▸ signature ▸ network
 *
 * Where the fleet file names a secret or binding that is not there, requests to that replica fail: nothing is sent without it.
 */
import type { ReportFault } from "../contracts/report-fault.ts";
import { parseOriginSigningKey, signingTransport, type OriginSigningKey } from "../signing/origin-signing.ts";
import type { Transport } from "./attempt.ts";
import { engineAdapter } from "./engines/engine.ts";
import { engineDefaults } from "./engines/engine-kind.ts";
import { workersAiTransport, type AiRunner } from "./engines/workers-ai-transport.ts";
import type { OriginPath } from "./ports.ts";
import type { ReplicaTarget } from "./replica-target.ts";

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface OriginBindings {
  /** The internet, or this machine's own network. */
  readonly fetch: Fetch;
  /** The VPC network binding of this name (`VPC_…`). */
  readonly network: (name: string) => Fetch | null;
  /** The secret of this name (`ORIGIN_…`). */
  readonly secret: (name: string) => string | undefined;
  readonly ai: AiRunner | null;
  /** ORIGIN_SIGNING_KEY: signs what goes to clusters without a key of their own. Not set: not signed. */
  readonly signingKey: string | undefined;
  readonly now: () => number;
  /** Called once for each replica that can't be reached because a secret or binding is missing. */
  readonly report: ReportFault;
}

/** Something that the fleet file names is missing or malformed. Only its name goes into the log. */
class OriginMisconfigured extends Error {
  constructor(what: string) {
    super(what);
    this.name = `OriginMisconfigured (${what})`;
  }
}

/** Throws where ORIGIN_SIGNING_KEY is malformed: a Worker that can't sign says so at its start. */
export function createOriginTransport(bindings: OriginBindings): Transport {
  const { signingKey } = bindings;
  let common: OriginSigningKey | null = null;
  if (signingKey !== undefined && signingKey !== "") {
    const parsed = parseOriginSigningKey(signingKey);
    if (!parsed.ok) throw new TypeError(`ORIGIN_SIGNING_KEY: ${parsed.error}`);
    common = parsed.value;
  }
  const known = new WeakMap<ReplicaTarget, Fetch>();
  return function send(url, init, target) {
    let transport = known.get(target);
    if (transport === undefined) {
      transport = transportTo(target, bindings, common);
      known.set(target, transport);
    }
    return transport(url, init);
  };
}

function transportTo(
  target: ReplicaTarget,
  bindings: OriginBindings,
  common: OriginSigningKey | null,
): Fetch {
  try {
    return inEngineWords(target, network(target, bindings, common));
  } catch (error) {
    if (!(error instanceof OriginMisconfigured)) throw error;
    bindings.report("origin", `${target.cluster.id}/${target.replica.id}: ${error.message}`);
    return () => Promise.reject(error);
  }
}

function network(
  { cluster, replica }: ReplicaTarget,
  bindings: OriginBindings,
  common: OriginSigningKey | null,
): Fetch {
  const { ai, now } = bindings;
  if (cluster.engine === "workers-ai") {
    if (ai === null) throw new OriginMisconfigured("the binding AI is missing");
    return workersAiTransport({ ai, now, newId: () => crypto.randomUUID() });
  }
  const secret = (name: string): string => {
    const value = bindings.secret(name);
    if (value === undefined || value === "") throw new OriginMisconfigured(`the secret ${name} is missing`);
    return value;
  };
  const headers: Record<string, string> = {};
  if (replica.tunnel !== undefined) {
    headers["cf-access-client-id"] = secret(replica.tunnel.client_id_secret);
    headers["cf-access-client-secret"] = secret(replica.tunnel.client_secret_secret);
  }
  if (cluster.api_key_secret !== undefined)
    headers["authorization"] = `Bearer ${secret(cluster.api_key_secret)}`;
  let send: Fetch = bindings.fetch;
  if (replica.vpc !== undefined) {
    const bound = bindings.network(replica.vpc.network);
    if (bound === null) throw new OriginMisconfigured(`the binding ${replica.vpc.network} is missing`);
    send = bound;
  }
  const key = cluster.signing_key_secret === undefined ? common : ownKey(cluster.signing_key_secret, secret);
  const signed =
    key === null ? send : signingTransport(send, { key, now, newNonce: () => crypto.randomUUID() });
  if (Object.keys(headers).length === 0) return signed;
  return (url, init) => {
    const all = new Headers(init.headers);
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    return signed(url, { ...init, headers: all });
  };
}

function ownKey(name: string, secret: (name: string) => string): OriginSigningKey {
  const parsed = parseOriginSigningKey(secret(name));
  if (!parsed.ok) throw new OriginMisconfigured(`the secret ${name} ${parsed.error}`);
  return parsed.value;
}

/** Bodies are composed in vLLM's words, so that its clusters, the many, have nothing done here. */
function inEngineWords({ cluster, url: base }: ReplicaTarget, send: Fetch): Fetch {
  const { bodyFor } = engineAdapter(cluster.engine);
  if (bodyFor === null) return send;
  return (url, init) => {
    if (typeof init.body !== "string") return send(url, init);
    const composed = JSON.parse(init.body) as Record<string, unknown>;
    const model = cluster.models.find(({ served_name }) => served_name === composed["model"]);
    const features = model?.engine_features ?? engineDefaults[cluster.engine];
    const body = bodyFor(url.slice(base.length) as OriginPath, composed, features);
    if (body.ok) return send(url, { ...init, body: JSON.stringify(body.value) });
    const error = { message: `${cluster.engine} knows no ${body.error}`, type: "BadRequestError", code: 400 };
    return Promise.resolve(Response.json({ error }, { status: 400 }));
  };
}
