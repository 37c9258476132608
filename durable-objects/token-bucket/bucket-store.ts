/**
 * Where is a bucket on disk? One value, `bucket`: the snapshot of src/shared/limits/bucket-durability.ts, which carries
 * its own version. A row is written for each `write`, none for a bucket that was only asked what it holds.
 */
const key = "bucket";

export class BucketStore {
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

  /** Wakes the object at this time, unless it is to be woken already. */
  async ensureAlarm(atMs: number): Promise<void> {
    if ((await this.#storage.getAlarm()) === null) await this.#storage.setAlarm(atMs);
  }

  /** Leaves nothing behind, neither value nor alarm: an object without storage costs nothing. */
  async forget(): Promise<void> {
    await this.#storage.deleteAll();
  }
}
