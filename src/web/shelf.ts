/** A browser's storage, or the page's memory if that is full or blocked: values then last until a reload, which is no error. */
export class Shelf {
  readonly #storage: () => Storage;
  readonly #memory = new Map<string, string>();

  /** @param storage throws if the storage is blocked */
  constructor(storage: () => Storage) {
    this.#storage = storage;
  }

  get(key: string): string | null {
    return this.#memory.get(key) ?? this.#try((storage) => storage.getItem(key));
  }

  set(key: string, value: string): void {
    // Stored values are not kept in memory, since another tab may change them.
    if (this.#try((storage) => storage.setItem(key, value)) === null) this.#memory.set(key, value);
    else this.#memory.delete(key);
  }

  remove(key: string): void {
    this.#memory.delete(key);
    this.#try((storage) => storage.removeItem(key));
  }

  /** `null`: the storage can't be used. */
  #try<Value>(use: (storage: Storage) => Value): Value | null {
    try {
      return use(this.#storage());
    } catch {
      // Full, or blocked by the user: memory is used instead.
      return null;
    }
  }
}
