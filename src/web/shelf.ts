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
    this.#memory.set(key, value);
    this.#try((storage) => storage.setItem(key, value));
  }

  remove(key: string): void {
    this.#memory.delete(key);
    this.#try((storage) => storage.removeItem(key));
  }

  #try<Value>(use: (storage: Storage) => Value): Value | null {
    try {
      return use(this.#storage());
    } catch {
      // Full, or blocked by the user: memory has it.
      return null;
    }
  }
}
