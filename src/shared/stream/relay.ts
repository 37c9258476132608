/**
 * The plumbing of one stream: engine's bytes ▸ a pass ▸ client's bytes (relay-loop.ts), with one of two fronts
 * (docs/decisions/0003-one-pass-stream.md): `relayStream` is pulled, so nothing is read ahead of its reader; `relayInto` writes
 * into a pipe of the platform's own, which costs a token less, and stays a bounded number of bytes ahead.
 *
 * A client that leaves is noticed in three ways, none of which workerd promises: the stream is cancelled, the signal fires, or a write
 * fails.
 */
import { createByteReader } from "./byte-reader.ts";
import { PipeSink, type BytePipe } from "./pipe-sink.ts";
import { Relay, type RelayOptions } from "./relay-loop.ts";
import type { StreamPass } from "./stream-pass.ts";

export function relayStream(
  source: ReadableStream<Uint8Array> | null,
  pass: StreamPass,
  options: RelayOptions,
): ReadableStream<Uint8Array> {
  const relay = new Relay(createByteReader(source ?? empty()), pass, options);
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        relay.start({
          write: (bytes) => {
            controller.enqueue(bytes);
            return false;
          },
          close: () => controller.close(),
          error: (reason) => controller.error(reason),
        });
      },
      pull: () => relay.pull(),
      cancel: (reason: unknown) => {
        relay.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** The same into `pipe`, whose readable side is given back. Begins at once. */
export function relayInto(
  pipe: BytePipe,
  source: ReadableStream<Uint8Array> | null,
  pass: StreamPass,
  options: RelayOptions,
): ReadableStream<Uint8Array> {
  const relay = new Relay(createByteReader(source ?? empty()), pass, options);
  const sink = new PipeSink(pipe.writable, {
    // While the pass waits for the budget or for another engine, that wait resumes the reading.
    room: () => void (pass.pending === null ? relay.pull() : undefined),
    gone: (reason) => relay.cancel(reason),
  });
  relay.start(sink);
  void relay.pull();
  return pipe.readable;
}

/** For a source that was read to its end before it came here. */
function empty(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}
