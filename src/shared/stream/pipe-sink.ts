/**
 * How does a relay write into a pipe of the platform's own without waiting for every write? It stays at most a fixed number of bytes ahead
 * of the client; beyond that the relay reads nothing until the client has caught up.
 */
import type { RelaySink } from "./relay-loop.ts";

/** Both ends of it; in workerd an `IdentityTransformStream`, whose bytes never enter the isolate again. */
export interface BytePipe {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

interface PipeEvents {
  /** The client has caught up after `write` said that there was no room. */
  readonly room: () => void;
  /** The client is gone; called once. */
  readonly gone: (reason: unknown) => void;
}

/**
 * Some eighty tokens, over a second of most engines: a client that is further behind is slower than its engine. What was
 * written counts as delivered, so this is also the most that a client who leaves is charged beyond what it has read.
 */
const maxAheadBytes = 16_384;

export class PipeSink implements RelaySink {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #events: PipeEvents;
  #aheadBytes = 0;
  /** Sizes of the writes that are under way, oldest first. */
  #writes: number[] = [];
  #full = false;
  #over = false;

  constructor(writable: WritableStream<Uint8Array>, events: PipeEvents) {
    this.#writer = writable.getWriter();
    this.#events = events;
    this.#writer.closed.catch(this.#onGone);
  }

  write(bytes: Uint8Array): boolean {
    this.#aheadBytes += bytes.byteLength;
    this.#writes.push(bytes.byteLength);
    this.#writer.write(bytes).then(this.#onWritten, this.#onGone);
    this.#full = this.#aheadBytes > maxAheadBytes;
    return !this.#full;
  }

  close(): void {
    this.#over = true;
    this.#writer.close().catch(nothing);
  }

  error(reason: unknown): void {
    this.#over = true;
    this.#writer.abort(reason).catch(nothing);
  }

  readonly #onWritten = (): void => {
    this.#aheadBytes -= this.#writes.shift() ?? 0;
    if (!this.#full || this.#aheadBytes > maxAheadBytes / 2) return;
    this.#full = false;
    if (!this.#over) this.#events.room();
  };

  readonly #onGone = (reason: unknown): void => {
    if (this.#over) return;
    this.#over = true;
    this.#events.gone(reason);
  };
}

/** A pipe that breaks while it is being closed needs no report. */
const nothing = (): void => undefined;
