/**
 * A replica's prefix cache as vLLM keeps it: blocks of 16 tokens, in use or free; free ones stay until their room is needed,
 * the longest unused first, and of one prompt its end before its beginning. Block ids are small numbers: everything is in flat
 * arrays, since a simulated day touches millions of blocks.
 */
const absent = -1;
const nowhere = -1;

export class PrefixCache {
  readonly capacity: number;
  /** How many running requests use each block; `absent`: it is not cached. */
  readonly #users: Int16Array;
  /** Cached blocks that no request uses, as a list in the order in which their use ended. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  #oldest = nowhere;
  #youngest = nowhere;
  #cached = 0;
  #free = 0;
  /** Blocks of running requests that nothing else can use: of the answer, or not computed yet. */
  #private = 0;

  /** `blockIds`: all ids are below. */
  constructor(capacity: number, blockIds: number) {
    this.capacity = capacity;
    this.#users = new Int16Array(blockIds).fill(absent);
    this.#next = new Int32Array(blockIds);
    this.#previous = new Int32Array(blockIds);
  }

  /** Blocks from the beginning that are there. */
  match(blocks: Int32Array): number {
    let at = 0;
    while (at < blocks.length && this.#users[blocks[at] ?? 0] !== absent) at += 1;
    return at;
  }

  /** Whether so many blocks more can be had, some of which (`matched`) may be cached and unused now. */
  fits(blocks: Int32Array, matched: number, needed: number): boolean {
    let unused = 0;
    for (let at = 0; at < matched; at += 1) if (this.#users[blocks[at] ?? 0] === 0) unused += 1;
    return this.used + unused + needed <= this.capacity;
  }

  /** Blocks that running requests hold. */
  get used(): number {
    return this.#cached - this.#free + this.#private;
  }

  /** A request begins: it uses the matched blocks and sets `needed` aside. */
  begin(blocks: Int32Array, matched: number, needed: number): void {
    for (let at = 0; at < matched; at += 1) this.#use(blocks[at] ?? 0);
    this.#private += needed;
    while (this.#cached + this.#private > this.capacity && this.#oldest !== nowhere) {
      const block = this.#oldest;
      this.#unlink(block);
      this.#users[block] = absent;
      this.#cached -= 1;
    }
  }

  /** Its prompt is computed: from here on others find it. */
  computed(blocks: Int32Array, matched: number): void {
    for (let at = matched; at < blocks.length; at += 1) this.#use(blocks[at] ?? 0);
    this.#private -= blocks.length - matched;
  }

  /** It ended. `needed`: what it had set aside and is not of `blocks`. */
  end(blocks: Int32Array, needed: number): void {
    this.#private -= needed;
    for (let at = blocks.length - 1; at >= 0; at -= 1) {
      const block = blocks[at] ?? 0;
      const users = (this.#users[block] ?? 1) - 1;
      this.#users[block] = users;
      if (users === 0) this.#link(block);
    }
  }

  #use(block: number): void {
    const users = this.#users[block] ?? absent;
    if (users === 0) this.#unlink(block);
    if (users === absent) this.#cached += 1;
    this.#users[block] = Math.max(0, users) + 1;
  }

  #link(block: number): void {
    this.#previous[block] = this.#youngest;
    this.#next[block] = nowhere;
    if (this.#youngest === nowhere) this.#oldest = block;
    else this.#next[this.#youngest] = block;
    this.#youngest = block;
    this.#free += 1;
  }

  #unlink(block: number): void {
    const previous = this.#previous[block] ?? nowhere;
    const next = this.#next[block] ?? nowhere;
    if (previous === nowhere) this.#oldest = next;
    else this.#next[previous] = next;
    if (next === nowhere) this.#youngest = previous;
    else this.#previous[next] = previous;
    this.#free -= 1;
  }
}
