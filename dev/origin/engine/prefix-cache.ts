/**
 * How much of a prompt has this replica seen before? vLLM's automatic prefix caching: blocks of 16 tokens, each identified
 * by its tokens and all before it, evicting the least recently used. A chain begins with the model and the salt, so that
 * tenants with different salts never share a block.
 */
export const blockTokens = 16;

export class PrefixCache {
  readonly #blocks = new Map<number, true>();
  readonly #capacityBlocks: number;
  /** Tokens asked for and found since the start, for vLLM's counters of the same meaning. */
  queriedTokens = 0;
  hitTokens = 0;

  constructor(capacityBlocks: number) {
    this.#capacityBlocks = capacityBlocks;
  }

  get size(): number {
    return this.#blocks.size;
  }

  /**
   * Remembers the prompt, and returns the number of its tokens that need no prefill, a multiple of 16. As in vLLM, at least
   * the last token is always computed, since the first new token depends on it.
   */
  admit(ids: readonly number[], chain: number): number {
    let cached = 0;
    let unbroken = true;
    const lookupEnd = ids.length - 1;
    let key = chain;
    for (let end = blockTokens; end <= ids.length; end += blockTokens) {
      key = chainKey(key, ids, end - blockTokens, end);
      const known = this.#touch(key);
      unbroken = unbroken && known && end <= lookupEnd;
      if (unbroken) cached = end;
    }
    this.queriedTokens += ids.length;
    this.hitTokens += cached;
    return cached;
  }

  /** Remembers prompt and answer together, as the conversation's next turn will send them. */
  remember(ids: readonly number[], chain: number): void {
    let key = chain;
    for (let end = blockTokens; end <= ids.length; end += blockTokens) {
      key = chainKey(key, ids, end - blockTokens, end);
      this.#touch(key);
    }
  }

  #touch(key: number): boolean {
    const known = this.#blocks.delete(key);
    this.#blocks.set(key, true);
    if (this.#blocks.size > this.#capacityBlocks) {
      const oldest = this.#blocks.keys().next();
      if (!oldest.done) this.#blocks.delete(oldest.value);
    }
    return known;
  }
}

/** Where a chain of blocks begins: a number for the model and the salt. */
export function chainStart(model: string, salt: string): number {
  let high = 0x9dc5811c;
  let low = 0x811c9dc5;
  for (const text of [model, "\u0000", salt]) {
    for (let at = 0; at < text.length; at++) {
      high = Math.imul(high ^ text.charCodeAt(at), 0x85ebca6b);
      low = Math.imul(low ^ text.charCodeAt(at), 0x01000193);
    }
  }
  return (high >>> 0) * 2 ** 20 + ((low >>> 0) & 0xfffff);
}

/** 52 bits from two multiplicative hashes, enough to make a false hit in a run unlikely. */
function chainKey(previous: number, ids: readonly number[], start: number, end: number): number {
  let high = Math.floor(previous / 2 ** 20) | 0;
  let low = (previous % 2 ** 20) ^ 0x811c9dc5;
  for (let at = start; at < end; at++) {
    const id = ids[at] ?? 0;
    high = Math.imul(high ^ id, 0x85ebca6b);
    high ^= high >>> 13;
    low = Math.imul(low ^ id, 0x01000193);
    low ^= low >>> 15;
  }
  return (high >>> 0) * 2 ** 20 + ((low >>> 0) & 0xfffff);
}
