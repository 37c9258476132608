/**
 * How do log lines leave an isolate cheaply? In one write for many lines. One `console.log` for each request costs 0.6 of a
 * whole pass-through request; a buffered line costs only its JSON.
 *
 * Weakness: lines of the last `maxDelayMs` are lost if the isolate is killed. Charges and journals don't live here.
 */
import type { Background } from "../contracts/background.ts";

export interface LineBufferOptions {
  /** Gets the lines, joined by line breaks. */
  readonly write: (text: string) => void;
  readonly maxLines: number;
  readonly maxDelayMs: number;
  /** Resolves after this many milliseconds. */
  readonly sleep: (ms: number) => Promise<void>;
}

export class LineBuffer {
  readonly #options: LineBufferOptions;
  #lines: string[] = [];
  /** When the pending flush was scheduled. An overdue one belonged to a request that was reset, so another is scheduled. */
  #promisedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: LineBufferOptions) {
    this.#options = options;
  }

  /** Buffers the line; it is written within `maxDelayMs`, under `background`. */
  add(line: string, background: Background, nowMs: number): void {
    this.#lines.push(line);
    if (this.#lines.length >= this.#options.maxLines) {
      this.flush();
      return;
    }
    if (nowMs - this.#promisedAtMs < 2 * this.#options.maxDelayMs) return;
    this.#promisedAtMs = nowMs;
    background.run(
      "log flush",
      this.#options.sleep(this.#options.maxDelayMs).then(() => {
        this.#promisedAtMs = Number.NEGATIVE_INFINITY;
        this.flush();
      }),
    );
  }

  flush(): void {
    if (this.#lines.length === 0) return;
    const text = this.#lines.join("\n");
    this.#lines = [];
    this.#options.write(text);
  }
}
