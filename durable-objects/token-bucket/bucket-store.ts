/**
 * Where is a bucket on disk? One value, `bucket`: the snapshot of src/shared/limits/bucket-durability.ts, which carries
 * its own version. A row is written for each `write`, none for a bucket that was only asked what it holds.
 */
const key = "bucket";

export class BucketStore {
  readonly #storage: DurableObjectStorage;
  /** What `wakeBy` asked for last, until it rings; or what was set before this life. */
  #wakeAtMs: number | null = null;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** To be called at a wake, before anything is written: an alarm that is already set must not be put off. */
  async recallAlarm(): Promise<void> {
    this.#wakeAtMs = await this.#storage.getAlarm();
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
    const set = await this.#storage.getAlarm();
    // Meanwhile it may have been asked to wake sooner.
    if (set === null && this.#wakeAtMs === null) await this.#storage.setAlarm(atMs);
  }

  /** Wakes the object at this time, or sooner where that was asked for: durable with what was written just before. */
  wakeBy(atMs: number): void {
    if (this.#wakeAtMs !== null && this.#wakeAtMs <= atMs) return;
    this.#wakeAtMs = atMs;
    void this.#storage.setAlarm(atMs);
  }

  /** The alarm that was set is the one that rings. */
  rung(): void {
    this.#wakeAtMs = null;
  }

  /** Leaves nothing behind, neither value nor alarm: an object without storage costs nothing. */
  async forget(): Promise<void> {
    await this.#storage.deleteAll();
  }
}
