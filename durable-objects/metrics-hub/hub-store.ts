/**
 * Where is a shard of the hub on disk? One value, `hub`: the snapshot of src/shared/telemetry/metrics/hub-state.ts, which
 * carries its own version. One row is written for each `write`.
 */
const key = "hub";

export class HubStore {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  read(): string | null {
    return this.#storage.kv.get<string>(key) ?? null;
  }

  /** Durable before anything that is sent after it leaves the object (its output gate). */
  write(snapshot: string): void {
    this.#storage.kv.put(key, snapshot);
  }
}
