import { DurableObject } from "cloudflare:workers";
import type {
  DeliveryOutcome,
  HubReading,
  MetricDelivery,
} from "../../src/shared/telemetry/metrics/hub-protocol.ts";
import { HubState } from "../../src/shared/telemetry/metrics/hub-state.ts";
import { LongRun } from "../../src/shared/telemetry/metrics/long-run.ts";
import { HubStore } from "./hub-store.ts";

/** Batches wait at most so long for the write that makes them durable, all of them for one. */
const groupCommitMs = 1_000;

/**
 * One shard of the metrics: sums of everything that the isolates which chose it have sent. It holds no content, no tenant
 * and no user.
 *
 * What was acknowledged or read is on disk, so that an eviction or a kill loses nothing: whatever else it had in memory comes
 * again. There is no alarm: a shard owes nothing to the future, and a pending commit's timer keeps it in memory.
 */
export class MetricsHub extends DurableObject {
  readonly #store: HubStore;
  readonly #state: HubState;
  /** `null`: nothing is bound for the long run. */
  readonly #longRun: LongRun | null;
  /** Memory is ahead of the disk. Also after a write that failed. */
  #dirty = false;
  #lastCommitMs = Number.NEGATIVE_INFINITY;
  /** Those who wait for the next write. */
  #commit: PromiseWithResolvers<void> | null = null;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#store = new HubStore(ctx.storage);
    this.#state = new HubState(this.#store.read());
    this.#longRun =
      env.ANALYTICS === undefined
        ? null
        : new LongRun(ctx.id.name ?? ctx.id.toString(), this.#state.reading().sums);
  }

  /** Idempotent by source and sequence: see src/shared/telemetry/metrics/hub-protocol.ts. */
  deliver(delivery: MetricDelivery): DeliveryOutcome | Promise<DeliveryOutcome> {
    const now = Date.now();
    const applied = this.#state.apply(delivery, now);
    if (!applied.ok) return applied.error;
    const { through, changed } = applied.value;
    this.#dirty ||= changed;
    const kept = { result: "kept", through } as const;
    if (!this.#dirty) return kept;
    if (delivery.acknowledge === "soon" && now - this.#lastCommitMs < groupCommitMs)
      return this.#nextCommit(now).then(() => kept);
    this.#write();
    return kept;
  }

  /** The sums. Writes first what is not on disk yet: a counter that was shown must never go back. */
  read(): HubReading {
    if (this.#dirty) this.#write();
    return this.#state.reading();
  }

  #write(): void {
    const now = Date.now();
    this.#lastCommitMs = now;
    this.#store.write(this.#state.snapshot(now));
    this.#dirty = false;
    this.#commit?.resolve();
    this.#commit = null;
    this.#tellLongRun(now);
  }

  /** Behind the write: no total is told that could still be lost. What fails here must cost nothing that was counted. */
  #tellLongRun(now: number): void {
    if (this.#longRun === null) return;
    try {
      for (const point of this.#longRun.take(() => this.#state.reading().sums, now))
        this.env.ANALYTICS?.writeDataPoint(point);
    } catch (error) {
      // oxlint-disable-next-line no-console -- the log is the only way out of an object for what needs an operator
      console.error(
        JSON.stringify({ event: "fault", component: "metrics for the long run", detail: String(error) }),
      );
    }
  }

  /** Resolves with the next write, a second after the last one at the latest. */
  #nextCommit(now: number): Promise<void> {
    if (this.#commit) return this.#commit.promise;
    const commit = Promise.withResolvers<void>();
    this.#commit = commit;
    setTimeout(
      () => {
        if (this.#commit !== commit) return;
        try {
          this.#write();
        } catch (error) {
          // Waiting callers learn of it, and send again.
          this.#commit = null;
          commit.reject(error);
        }
      },
      this.#lastCommitMs + groupCommitMs - now,
    );
    return commit.promise;
  }
}
