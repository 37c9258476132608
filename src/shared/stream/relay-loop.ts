/**
 * The loop of one stream: read ▸ pass ▸ write. It makes one write of all that one read brought; it reports its end exactly once; and when
 * either side goes away the other is cancelled. One timer per stream, re-armed when it fires, enforces all time limits.
 */
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import { createByteReader, type ByteReader } from "./byte-reader.ts";
import { ReadPace } from "./read-pace.ts";
import type { StreamEnd } from "./stream-failure.ts";
import type { SourceEnd, StreamPass } from "./stream-pass.ts";

export interface RelayOptions {
  /** The part of the source that was read already; `null`: none. */
  readonly firstChunk?: Uint8Array | null;
  /** Silence after which `: keep-alive` is written. `Infinity`: never. */
  readonly keepAliveMs: number;
  /** Longest wait for the first token, from now. */
  readonly firstTokenTimeoutMs: number;
  /** Longest silence of the engine afterwards. */
  readonly gapTimeoutMs: number;
  /** For the whole stream, from now. */
  readonly deadlineMs: number;
  /** How long a token may wait for the ones behind it, so that they are read together (read-pace.ts). 0: not at all. */
  readonly gatherMs: number;
  /** Fires when the client is gone. */
  readonly signal?: LeaveSignal;
  /** Called once, before the last bytes are handed over. Must not throw. */
  readonly onEnd: (end: StreamEnd) => void;
}

const keepAlive = new TextEncoder().encode(": keep-alive\n\n");
/** After a good end, how long the engine may take to close its response, so that its connection can be used again. */
const closingMs = 250;

/** Where the client's bytes go. */
export interface RelaySink {
  /** `true`: there is room for more, so the next read need not wait for `pull`. */
  write(bytes: Uint8Array): boolean;
  close(): void;
  error(reason: unknown): void;
}

export class Relay {
  #reader: ByteReader;
  readonly #pass: StreamPass;
  readonly #options: RelayOptions;
  #sink: RelaySink | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #pace: ReadPace;
  readonly #deadlineAtMs: number;
  /** Since when the relay waits for the engine: from the start for its first token, from its last bytes afterwards. */
  #heardAtMs: number;
  #toldAtMs: number;
  /** A read is in progress, so silence is the engine's. Otherwise it is the client that is slow. */
  #waiting = false;
  /** There is one read at a time: a second one would bring the bytes after an event that is held back. */
  #reading = false;
  #clientPaused = false;
  #begun = false;
  #firstChunk: Uint8Array | null;
  /** The bytes of the last read: its buffer is for the next one. */
  #spent: Uint8Array | null = null;
  #over = false;
  /** The last bytes were handed over; only the close is missing. */
  #closed = false;

  constructor(reader: ByteReader, pass: StreamPass, options: RelayOptions) {
    this.#reader = reader;
    this.#pass = pass;
    this.#options = options;
    this.#firstChunk = options.firstChunk ?? null;
    this.#pace = new ReadPace(options.gatherMs);
    this.#heardAtMs = Date.now();
    this.#toldAtMs = this.#heardAtMs;
    this.#deadlineAtMs = this.#heardAtMs + options.deadlineMs;
  }

  start(sink: RelaySink): void {
    this.#sink = sink;
    const { signal } = this.#options;
    if (signal?.aborted === true) {
      this.#abort();
      return;
    }
    signal?.addEventListener("abort", this.#abort, { once: true });
    this.#arm();
  }

  pull(): Promise<void> | undefined {
    if (this.#over) return undefined;
    if (this.#clientPaused) {
      this.#clientPaused = false;
      this.#heardAtMs = Date.now();
    }
    this.#waiting = true;
    const first = this.#firstChunk;
    if (first !== null) {
      this.#firstChunk = null;
      return this.#pushed(this.#pass.push(first));
    }
    return this.#read();
  }

  cancel(reason: unknown): void {
    this.#letGo("client-gone", reason);
  }

  #read(): Promise<void> | undefined {
    // A pipe may make room while the read that followed a wait is under way.
    if (this.#reading) return undefined;
    this.#reading = true;
    // Also after a wait for the budget, which does not count as the engine's silence.
    this.#waiting = true;
    const spent = this.#spent;
    this.#spent = null;
    return this.#reader.read(spent, this.#pace.minBytes()).then(this.#onRead, this.#onReadFailure);
  }

  readonly #onRead = (result: ReadableStreamReadResult<Uint8Array>): Promise<void> | undefined => {
    this.#reading = false;
    if (this.#over) return undefined;
    // The timer gave this source up: its late bytes are not part of the answer.
    if (this.#pass.resuming) return this.#whenResumed();
    // What was gathered by the end may come with it (WHATWG Streams; workerd gives it before): the next read is the end.
    if (result.value === undefined || result.value.byteLength === 0)
      return result.done ? this.#conclude("source-ended") : this.#read();
    // A pass keeps nothing of the bytes that it was given.
    this.#spent = result.value;
    const nowMs = Date.now();
    this.#pace.note(result.value.byteLength, nowMs);
    return this.#pushed(this.#pass.push(result.value), nowMs);
  };

  #pushed(bytes: Uint8Array | undefined, nowMs = Date.now()): Promise<void> | undefined {
    const { ended, pending } = this.#pass;
    if (ended !== null) return this.#finishWell(ended, bytes);
    if (this.#begun) this.#heardAtMs = nowMs;
    else if (this.#pass.begun) {
      this.#begun = true;
      this.#heardAtMs = nowMs;
      this.#arm();
    }
    if (pending !== null) {
      if (bytes !== undefined) this.#sink?.write(bytes);
      // The relay waits for the budget, not the engine, unless another engine is being looked for.
      this.#waiting = this.#pass.resuming;
      return this.#whenResumed();
    }
    // Nothing to send yet: the pull is unanswered, so the next read belongs to it.
    if (bytes === undefined) return this.#read();
    this.#toldAtMs = nowMs;
    // Not awaited: a chain of promises as long as the answer would grow with it.
    if (this.#sink?.write(bytes) === true) void this.#read();
    else this.#waiting = false;
    return undefined;
  }

  readonly #onReadFailure = (): Promise<void> | undefined => {
    this.#reading = false;
    if (this.#over) return undefined;
    return this.#pass.resuming ? this.#whenResumed() : this.#conclude("source-failed");
  };

  #whenResumed(): Promise<void> | undefined {
    return this.#pass.pending?.then(() => {
      if (this.#over) return undefined;
      const bytes = this.#pass.resume();
      const source = this.#pass.takeSource();
      if (source !== null) {
        this.#cancelSource("another engine goes on");
        this.#reader = createByteReader(source);
        this.#spent = null;
      }
      return this.#pushed(bytes);
    });
  }

  readonly #abort = (): void => {
    if (this.#over) return;
    this.#letGo("client-gone", this.#options.signal?.reason);
    // If the client still reads: this is not a clean end.
    this.#sink?.error(new Error("the stream was aborted"));
  };

  /** The pass has finished while the engine's response is still open. */
  #finishWell(end: StreamEnd, bytes: Uint8Array | undefined): Promise<void> | undefined {
    this.#report(end);
    if (bytes !== undefined) this.#sink?.write(bytes);
    if (end !== "done") {
      this.#cancelSource(end);
      this.#close();
      return undefined;
    }
    this.#timer = setTimeout(() => {
      this.#cancelSource(end);
      this.#close();
    }, closingMs);
    const close = (): void => {
      this.#close();
    };
    return this.#reader.read(null, 1).then((result) => {
      if (!result.done) this.#cancelSource(end);
      this.#close();
    }, close);
  }

  /**
   * The promise it returns answers a read. When the timer calls it, the source's pending read will still settle, and continues from there.
   */
  #conclude(cause: SourceEnd): Promise<void> | undefined {
    const bytes = this.#pass.finish(cause);
    if (this.#pass.resuming) {
      if (bytes !== undefined) this.#sink?.write(bytes);
      this.#heardAtMs = Date.now();
      if (cause === "stalled") this.#cancelSource(cause);
      return cause === "stalled" ? undefined : this.#whenResumed();
    }
    this.#report(this.#pass.ended ?? "origin-error");
    if (bytes !== undefined) this.#sink?.write(bytes);
    if (cause !== "source-ended") this.#cancelSource(cause);
    this.#close();
    return undefined;
  }

  #letGo(cause: "client-gone", reason: unknown): void {
    this.#disarm();
    this.#closed = true;
    this.#cancelSource(reason ?? cause);
    if (this.#over) return;
    this.#pass.finish(cause);
    this.#report(cause);
  }

  #report(end: StreamEnd): void {
    this.#over = true;
    this.#disarm();
    this.#options.signal?.removeEventListener("abort", this.#abort);
    this.#options.onEnd(end);
  }

  #close(): void {
    this.#disarm();
    if (this.#closed) return;
    this.#closed = true;
    this.#sink?.close();
  }

  #cancelSource(reason: unknown): void {
    // A source that is already broken refuses to be cancelled; it is being thrown away either way.
    this.#reader.cancel(reason).catch(() => undefined);
  }

  #disarm(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    this.#disarm();
    const dueAtMs = Math.min(
      this.#deadlineAtMs,
      this.#silentUntilMs(),
      this.#toldAtMs + this.#options.keepAliveMs,
    );
    this.#timer = setTimeout(() => this.#onTimer(), Math.max(1, dueAtMs - Date.now()));
  }

  #silentUntilMs(): number {
    const { firstTokenTimeoutMs, gapTimeoutMs } = this.#options;
    return this.#heardAtMs + (this.#begun ? gapTimeoutMs : firstTokenTimeoutMs);
  }

  #onTimer(): void {
    if (this.#over) return;
    const nowMs = Date.now();
    if (nowMs >= this.#deadlineAtMs) {
      void this.#conclude("deadline");
      return;
    }
    if (!this.#waiting) {
      this.#clientPaused = true;
      this.#heardAtMs = nowMs;
      this.#toldAtMs = nowMs;
    } else if (nowMs >= this.#silentUntilMs()) {
      void this.#conclude("stalled");
      if (this.#over) return;
    } else if (nowMs - this.#toldAtMs >= this.#options.keepAliveMs) {
      this.#toldAtMs = nowMs;
      this.#sink?.write(keepAlive);
    }
    this.#arm();
  }
}
