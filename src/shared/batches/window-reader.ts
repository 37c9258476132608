/**
 * Reads lines of a file that does not fit into memory, by their offsets. Neighbouring lines are read together: a few windows of the file
 * are cached, and a line that is longer than a window is read by itself.
 */
export type ReadRange = (at: number, length: number) => Promise<Uint8Array | null>;

export class WindowReader {
  readonly #read: ReadRange;
  readonly #windows = new Map<number, Promise<Uint8Array | null>>();

  constructor(read: ReadRange) {
    this.#read = read;
  }

  /** `null`: the file is gone. Rejects where it can't be read now. */
  async read(at: number, length: number): Promise<Uint8Array | null> {
    if (length > windowBytes) return this.#read(at, length);
    const first = Math.floor(at / windowBytes);
    const last = Math.floor((at + length - 1) / windowBytes);
    const bytes = new Uint8Array(length);
    for (let window = first; window <= last; window += 1) {
      const read = await this.#window(window);
      if (read === null) return null;
      const from = Math.max(0, at - window * windowBytes);
      const piece = read.subarray(from, at + length - window * windowBytes);
      bytes.set(piece, Math.max(0, window * windowBytes - at));
    }
    return bytes;
  }

  #window(window: number): Promise<Uint8Array | null> {
    const known = this.#windows.get(window);
    if (known !== undefined) return known;
    const reading = this.#read(window * windowBytes, windowBytes);
    this.#windows.set(window, reading);
    // A failed read is repeated by the next caller.
    reading.catch(() => this.#windows.delete(window));
    for (const old of this.#windows.keys()) {
      if (this.#windows.size <= mostWindows) break;
      this.#windows.delete(old);
    }
    return reading;
  }
}

/** As a Library keeps files where there is no bucket: one window is one part of them. */
const windowBytes = 1_048_576;
const mostWindows = 3;
