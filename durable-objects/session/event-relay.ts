import { SseEvents } from "../../src/shared/stream/sse-events.ts";

/** One journal's stream as the events in it, piece by piece: a client of a journal that happens to live here. */
export class EventRelay {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #events = new SseEvents();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** `lost`: cut off before its end, by an eviction there or because the journal is gone. */
  async next(): Promise<
    | { readonly kind: "events"; readonly events: readonly string[]; readonly bytes: number }
    | { readonly kind: "ended" }
    | { readonly kind: "lost" }
  > {
    let read;
    try {
      read = await this.#reader.read();
    } catch {
      return { kind: "lost" };
    }
    if (read.done) return { kind: "ended" };
    if (!this.#events.feed(read.value)) return { kind: "lost" };
    const events: string[] = [];
    for (let data = this.#events.next(); data !== undefined; data = this.#events.next()) events.push(data);
    return { kind: "events", events, bytes: read.value.byteLength };
  }

  /** Reads no more; the turn goes on. */
  async leave(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined);
  }
}
