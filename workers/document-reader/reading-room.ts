/**
 * Which documents may be read at the same time? An isolate has one memory, and several large documents at once would exhaust it for all. A
 * document waits until there is room and nobody is before it, or a large one would wait for ever beside small ones that come and go; it
 * looks itself, since nobody's promise may hang on another request's (workerd ends it with that one).
 */

/** Of documents together; one alone may have as much as a document may. */
const mostBytes = 24 * 1_048_576;
const mostReaders = 8;
/** One that waits and has not looked for so long is not there any more, or will look again behind the others. */
const awayMs = 1_000;

export class ReadingRoom {
  readonly #now: () => number;
  readonly #readMs: number;
  readonly #readers = new Set<{ readonly bytes: number; readonly untilMs: number }>();
  /** In their order. */
  readonly #waiting = new Set<{ lookedMs: number }>();

  /** @param readMs behind which one that has entered has left for certain: one whose request was cut off says nothing */
  constructor(now: () => number, readMs: number) {
    this.#now = now;
    this.#readMs = readMs;
  }

  /**
   * @param isAlone nobody else reads meanwhile
   * @returns how to leave; `null`: there was no room by `untilMs`
   */
  async enter(
    bytes: number,
    untilMs: number,
    pause: () => Promise<unknown>,
    isAlone = false,
  ): Promise<(() => void) | null> {
    const waits = { lookedMs: this.#now() };
    this.#waiting.add(waits);
    try {
      while (!this.#isNext(waits) || !this.#hasRoom(bytes, isAlone)) {
        if (this.#now() >= untilMs) return null;
        await pause();
        waits.lookedMs = this.#now();
      }
    } finally {
      this.#waiting.delete(waits);
    }
    const reader = { bytes: isAlone ? mostBytes : bytes, untilMs: this.#now() + this.#readMs };
    this.#readers.add(reader);
    return () => void this.#readers.delete(reader);
  }

  #isNext(waits: { readonly lookedMs: number }): boolean {
    const nowMs = this.#now();
    for (const one of this.#waiting) {
      if (one === waits) return true;
      if (nowMs - one.lookedMs <= awayMs) return false;
      this.#waiting.delete(one);
    }
    // Taken out meanwhile, since it had not looked for so long.
    return true;
  }

  #hasRoom(bytes: number, isAlone: boolean): boolean {
    const nowMs = this.#now();
    let taken = 0;
    for (const reader of this.#readers)
      if (reader.untilMs <= nowMs) this.#readers.delete(reader);
      else taken += reader.bytes;
    if (this.#readers.size === 0) return true;
    return !isAlone && this.#readers.size < mostReaders && taken + bytes <= mostBytes;
  }
}
