/**
 * Where does a request to a replica go, and over what? From the fleet file alone: nothing that a client sends can name a host.
 */
import type { Cluster, Replica } from "./fleet/fleet-config.ts";

export interface ReplicaTarget {
  readonly cluster: Cluster;
  readonly replica: Replica;
  /** Base of its URLs, without a slash at the end. */
  readonly url: string;
}

/** One object a replica and fleet document: transports are remembered by it. */
export function replicaTarget(cluster: Cluster, replica: Replica): ReplicaTarget {
  return { cluster, replica, url: replicaUrl(replica) };
}

/** The binding AI has no address; `.invalid` (RFC 2606) is one that nothing can answer. */
const bindingUrl = "https://workers-ai.invalid";

function replicaUrl({ url, vpc, tunnel }: Replica): string {
  if (url !== undefined) return url;
  // The tunnel encrypts; what listens behind it speaks plain HTTP.
  if (vpc !== undefined) return `http://${vpc.host}`;
  return tunnel === undefined ? bindingUrl : `https://${tunnel.hostname}`;
}
