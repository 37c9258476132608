/** A browser's storage, or the page's memory where that is full or blocked: then it lasts until a reload, which is no error. */
export class Shelf {
  readonly #storage: () => Storage;
  readonly #memory = new Map<string, string>();

  /** @param storage a blocked one throws on being looked at */
  constructor(storage: () => Storage) {
    this.#storage = storage;
  }

  get(key: string): string | null {
    return this.#memory.get(key) ?? this.#try((storage) => storage.getItem(key));
  }

  set(key: string, value: string): void {
    // What the storage has is not remembered: another tab may write it, too.
    if (this.#try((storage) => storage.setItem(key, value)) === null) this.#memory.set(key, value);
    else this.#memory.delete(key);
  }

  remove(key: string): void {
    this.#memory.delete(key);
    this.#try((storage) => storage.removeItem(key));
  }

  /** `null`: it can't be used. */
  #try<Value>(use: (storage: Storage) => Value): Value | null {
    try {
      return use(this.#storage());
    } catch {
      // Full, or blocked by the user: memory has it.
      return null;
    }
  }
}
