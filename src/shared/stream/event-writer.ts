/**
 * The client's events of one read, put together in one buffer that the next read uses again: a fresh array for each event, and
 * one more for all of them, was a tenth of what the isolate did for a token.
 */
import { isPlain, type EventFrame, type PlainEvent } from "./plain-event.ts";

/** Some ten events; it grows where one read brings more. */
const firstBytes = 2048;

export class EventWriter {
  #buffer = new Uint8Array(0);
  #length = 0;

  /** The text of the engine's event, in the client's frame. */
  event(bytes: Uint8Array, { from, to }: PlainEvent, { head, tail }: EventFrame): void {
    let at = this.#room(head.length + to - from + tail.length);
    const buffer = this.#buffer;
    buffer.set(head, at);
    at += head.length;
    // Most texts are a few bytes long: a view of them would cost more than they do.
    for (let index = from; index < to; index++) buffer[at++] = bytes[index] ?? 0;
    buffer.set(tail, at);
  }

  /** A text in the client's frame. False: it holds what is not ASCII or what JSON escapes, and nothing was written. */
  text(text: string, { head, tail }: EventFrame): boolean {
    const start = this.#room(head.length + text.length + tail.length);
    const buffer = this.#buffer;
    buffer.set(head, start);
    let at = start + head.length;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (!isPlain(code)) {
        this.#length = start;
        return false;
      }
      buffer[at++] = code;
    }
    buffer.set(tail, at);
    return true;
  }

  append(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#buffer.set(bytes, at);
  }

  /** A copy of the bytes written since the last call; `undefined`: none. */
  take(): Uint8Array | undefined {
    if (this.#length === 0) return undefined;
    const whole = this.#buffer.slice(0, this.#length);
    this.#length = 0;
    return whole;
  }

  /** Where the next so many bytes go. */
  #room(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(firstBytes, 2 * this.#length));
      larger.set(this.#buffer.subarray(0, at));
      this.#buffer = larger;
    }
    return at;
  }
}
