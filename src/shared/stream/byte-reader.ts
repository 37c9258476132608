/**
 * How are an engine's bytes read at the least cost? Into one buffer that is used again and again, where the source is a byte
 * stream (every body of `fetch` is): a fresh one for each token is a good part of what the isolate's collector has to do.
 */

/** Most bytes of one read: some twenty events of vLLM. */
const bufferBytes = 8192;

export interface ByteReader {
  /** `spent`: the bytes of the read before, whose buffer may be written over now; `null`: none, or they are still needed. */
  read(spent: Uint8Array | null): Promise<ReadableStreamReadResult<Uint8Array>>;
  cancel(reason: unknown): Promise<void>;
}

export function createByteReader(source: ReadableStream<Uint8Array>): ByteReader {
  const reader = byobReaderOf(source);
  if (reader === null) return source.getReader();
  return {
    read: (spent) =>
      reader.read(spent === null ? new Uint8Array(bufferBytes) : new Uint8Array(spent.buffer as ArrayBuffer)),
    cancel: (reason) => reader.cancel(reason),
  };
}

/** `null`: the source is no byte stream. */
function byobReaderOf(source: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | null {
  try {
    return source.getReader({ mode: "byob" });
  } catch (error) {
    if (error instanceof TypeError && !source.locked) return null;
    throw error;
  }
}
