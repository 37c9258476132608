/** A relay between an engine's stream and a reader, both in the test's hands. Needs fake timers. */
import type { RelayOptions } from "./relay-loop.ts";
import { relayInto, relayStream } from "./relay.ts";
import type { StreamEnd } from "./stream-failure.ts";
import type { SourceEnd, StreamPass } from "./stream-pass.ts";

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
export const decode = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

/** Passes bytes on; "!" ends it well, "?" is not to be told, behind "~" another source is looked for. */
class FakePass implements StreamPass {
  begun = false;
  ended: StreamEnd | null = null;
  finishedBy: SourceEnd | null = null;
  pending: Promise<void> | null = null;
  held = "";
  resuming = false;
  /** Set: a failed source is replaced by the next of these. */
  others: (ReadableStream<Uint8Array> | null)[] | null = null;
  #next: ReadableStream<Uint8Array> | null = null;
  readonly #found = Promise.withResolvers<void>();

  takeSource(): ReadableStream<Uint8Array> | null {
    const next = this.#next;
    this.#next = null;
    return next;
  }

  #lookForAnother(): void {
    this.resuming = true;
    this.pending = this.#found.promise;
  }

  /** Another source was found, or nobody. */
  found(): void {
    this.#found.resolve();
  }

  resume(): Uint8Array | undefined {
    this.pending = null;
    if (this.resuming) {
      this.resuming = false;
      this.#next = this.others?.shift() ?? null;
      if (this.#next !== null) return undefined;
      this.ended = "origin-error";
      return encode("<nobody>");
    }
    return this.held === "" ? undefined : encode(this.held);
  }

  push(bytes: Uint8Array): Uint8Array | undefined {
    this.begun = true;
    const text = decode(bytes);
    if (text.includes("!")) this.ended = "done";
    if (text.includes("#")) this.ended = "budget-spent";
    if (text.includes("~")) this.#lookForAnother();
    return text === "?" ? undefined : bytes;
  }

  finish(cause: SourceEnd): Uint8Array | undefined {
    this.finishedBy = cause;
    if (this.others !== null && !this.resuming && cause !== "client-gone" && cause !== "deadline") {
      this.#lookForAnother();
      return undefined;
    }
    this.resuming = false;
    if (cause === "client-gone" || cause === "stalled" || cause === "deadline") this.ended = cause;
    else this.ended = "origin-error";
    return encode(`<${cause}>`);
  }
}

/** What is read comes in a buffer that is used again. */
export class CopyingPass extends FakePass {
  override push(bytes: Uint8Array): Uint8Array | undefined {
    return super.push(bytes)?.slice();
  }
}

export type Front = typeof relayStream;
/** To whom the relay writes. */
export const intoPipe: Front = (source, pass, options) =>
  relayInto(new TransformStream(), source, pass, options);
export const fronts: readonly (readonly [string, Front])[] = [
  ["pulled", relayStream],
  ["into a pipe", intoPipe],
];

export function openRelay(front: Front, options: Partial<RelayOptions> = {}) {
  let source: ReadableStreamDefaultController<Uint8Array> | undefined;
  const cancelled: unknown[] = [];
  const ends: StreamEnd[] = [];
  const pass = new FakePass();
  const stream = front(
    new ReadableStream<Uint8Array>({
      start: (controller) => {
        source = controller;
      },
      cancel: (reason) => {
        cancelled.push(reason);
      },
    }),
    pass,
    {
      keepAliveMs: 15_000,
      gatherMs: 0,
      firstTokenTimeoutMs: 60_000,
      gapTimeoutMs: 20_000,
      deadlineMs: 600_000,
      onEnd: (end) => ends.push(end),
      ...options,
    },
  );
  if (source === undefined) throw new Error("start runs at once");
  return { source, cancelled, ends, pass, reader: stream.getReader() };
}
