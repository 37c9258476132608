/**
 * Who may read at the same time? An isolate's memory is one, and several large documents in it would end the reading of all. A document
 * waits until there is room; it looks itself, since nobody's promise may hang on another request's (workerd ends it with that one).
 */

/** Of documents together; one alone may have as much as a document may. */
const mostBytes = 24 * 1_048_576;
const mostReaders = 8;

export class ReadingRoom {
  readonly #now: () => number;
  readonly #readers = new Set<{ readonly bytes: number; readonly untilMs: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * @param untilMs when it has left for certain: one whose request was cut off says nothing
   * @returns how to leave; `null`: there was no room in time
   */
  async enter(bytes: number, untilMs: number, pause: () => Promise<unknown>): Promise<(() => void) | null> {
    while (!this.#hasRoom(bytes)) {
      if (this.#now() >= untilMs) return null;
      await pause();
    }
    const reader = { bytes, untilMs };
    this.#readers.add(reader);
    return () => void this.#readers.delete(reader);
  }

  #hasRoom(bytes: number): boolean {
    const nowMs = this.#now();
    let taken = 0;
    for (const reader of this.#readers)
      if (reader.untilMs <= nowMs) this.#readers.delete(reader);
      else taken += reader.bytes;
    return this.#readers.size === 0 || (this.#readers.size < mostReaders && taken + bytes <= mostBytes);
  }
}
