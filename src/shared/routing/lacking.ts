/**
 * Which replicas said recently that they do not have a model? An engine that was restarted with another model, or a tunnel that leads
 * nowhere, answers 404 at once: it looks idle and healthy, and would attract its cluster's requests. Its breaker is not involved, since a
 * server of many models that lacks one still serves the others.
 */
import type { OriginRequest } from "./ports.ts";
import type { ClusterState, ReplicaKnowledge, ReplicaState } from "./router-state.ts";

/** Until it is asked again, among the first. */
export const lackingMs = 10_000;

type Asked = Pick<OriginRequest, "model" | "path">;

export class LackingReplicas {
  /** By replica, then by what was asked for: until when. Usually empty. */
  readonly #untilMs = new Map<ReplicaKnowledge, Map<string, number>>();

  note(replica: ReplicaState, asked: Asked, nowMs: number): void {
    this.#forget(nowMs);
    const known = this.#untilMs.get(replica.known) ?? new Map<string, number>();
    known.set(keyOf(asked), nowMs + lackingMs);
    this.#untilMs.set(replica.known, known);
  }

  /** Of these clusters' replicas. */
  among(clusters: readonly ClusterState[], asked: Asked, nowMs: number): ReplicaState[] {
    if (this.#untilMs.size === 0) return [];
    const key = keyOf(asked);
    return clusters.flatMap(({ replicas }) =>
      replicas.filter(({ known }) => (this.#untilMs.get(known)?.get(key) ?? 0) > nowMs),
    );
  }

  #forget(nowMs: number): void {
    for (const [known, keys] of this.#untilMs) {
      for (const [key, untilMs] of keys) if (untilMs <= nowMs) keys.delete(key);
      if (keys.size === 0) this.#untilMs.delete(known);
    }
  }
}

function keyOf({ model, path }: Asked): string {
  return `${path} ${model}`;
}
