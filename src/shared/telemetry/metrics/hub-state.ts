/**
 * The state of one shard of the hub: the sums, and the last counted batch of each isolate. Pure: memory may be ahead of the disk,
 * and the object acknowledges and reports only what it has written (`snapshot`).
 */
import { err, ok, type Result } from "../../contracts/result.ts";
import {
  type DeliveryOutcome,
  hubVersion,
  type HubReading,
  type MetricDelivery,
  rememberSourceMs,
} from "./hub-protocol.ts";
import { MetricSums, type SumsData } from "./metric-sums.ts";
import { shardBounds } from "./metric-series.ts";

/** The most isolates at a time. Each takes some 45 bytes of the snapshot, which must stay below 2 MB. */
export const maxSources = 20_000;

interface Source {
  through: number;
  seenMs: number;
}

interface Snapshot {
  readonly v: number;
  readonly sums: SumsData;
  readonly sources: readonly (readonly [source: string, through: number, seenMs: number])[];
}

export class HubState {
  readonly #sums = new MetricSums(shardBounds);
  readonly #sources = new Map<string, Source>();

  /** @param snapshot a result of `snapshot`, or null. Throws on another version: no metrics are better than wrong ones. */
  constructor(snapshot: string | null) {
    if (snapshot === null) return;
    const { v, sums, sources } = JSON.parse(snapshot) as Snapshot;
    if (v !== hubVersion) throw new Error(`the snapshot has version ${v}, this code reads ${hubVersion}`);
    // Series that this version does not know (a removed metric, other buckets) start again.
    this.#refused(this.#sums.merge(sums));
    for (const [source, through, seenMs] of sources) this.#sources.set(source, { through, seenMs });
  }

  /** Counts the batches that were not counted before. An error is the answer to the isolate; then nothing has changed. */
  apply(
    { v, source, batches }: MetricDelivery,
    nowMs: number,
  ): Result<{ readonly through: number; readonly changed: boolean }, DeliveryOutcome> {
    if (v !== hubVersion) return err({ result: "version-unsupported", supported: hubVersion });
    const known = this.#sources.get(source) ?? this.#welcome(source, nowMs);
    if (known === null) return err({ result: "full" });
    known.seenMs = nowMs;
    let changed = false;
    for (const batch of batches) {
      if (batch.sequence <= known.through) continue;
      this.#refused(this.#sums.merge(batch.sums));
      known.through = batch.sequence;
      changed = true;
    }
    return ok({ through: known.through, changed });
  }

  reading(): HubReading {
    return { v: hubVersion, sums: this.#sums.toData() };
  }

  snapshot(nowMs: number): string {
    this.#forgetSilent(nowMs);
    const snapshot: Snapshot = {
      v: hubVersion,
      sums: this.#sums.toData(),
      sources: [...this.#sources].map(([source, { through, seenMs }]) => [source, through, seenMs]),
    };
    return JSON.stringify(snapshot);
  }

  #welcome(name: string, nowMs: number): Source | null {
    if (this.#sources.size >= maxSources) this.#forgetSilent(nowMs);
    if (this.#sources.size >= maxSources) return null;
    const source = { through: 0, seenMs: nowMs };
    this.#sources.set(name, source);
    return source;
  }

  /** An isolate that was silent for so long has given up all its batches. */
  #forgetSilent(nowMs: number): void {
    for (const [name, { seenMs }] of this.#sources)
      if (nowMs - seenMs >= rememberSourceMs) this.#sources.delete(name);
  }

  #refused(series: number): void {
    if (series > 0) this.#sums.count("seriesRefused", "", series);
  }
}
