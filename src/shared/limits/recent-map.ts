/**
 * A map that keeps what was used lately and forgets the rest, at most `2 × generationSize` entries: two generations, the
 * older dropped whole when the younger is full. Cheaper on every look-up than keeping an order of use.
 */
export class RecentMap<V> {
  readonly #generationSize: number;
  readonly #mustKeep: (value: V) => boolean;
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  /** `mustKeep`: what may not be forgotten yet; at most one generation of it is kept. */
  constructor(generationSize: number, mustKeep: (value: V) => boolean = () => false) {
    this.#generationSize = generationSize;
    this.#mustKeep = mustKeep;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): V | undefined {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const older = this.#old.get(key);
    if (older === undefined) return undefined;
    this.#old.delete(key);
    this.set(key, older);
    return older;
  }

  set(key: string, value: V): void {
    if (this.#young.size >= this.#generationSize) this.#turn();
    this.#young.set(key, value);
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  #turn(): void {
    const kept = [...this.#old].filter(([, value]) => this.#mustKeep(value));
    this.#old = this.#young;
    this.#young = new Map(kept.slice(0, this.#generationSize - 1));
  }
}
