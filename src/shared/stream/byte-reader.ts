/**
 * How are an engine's bytes read at the least cost? Into one buffer that is used again and again, where the source is a byte
 * stream (every body of `fetch` is): a fresh one for each token is a good part of what the isolate's collector has to do.
 */

/** Most bytes of one read: some twenty events of vLLM. */
const bufferBytes = 8192;

export interface ByteReader {
  /**
   * `spent`: the bytes of the read before, whose buffer may be written over now; `null`: none, or they are still needed.
   * `minBytes`: the platform gathers so many before it answers, fewer at the end; a source without a buffer of ours answers
   * with whatever comes. What was gathered when a source fails is lost.
   */
  read(spent: Uint8Array | null, minBytes: number): Promise<ReadableStreamReadResult<Uint8Array>>;
  cancel(reason: unknown): Promise<void>;
}

export function createByteReader(source: ReadableStream<Uint8Array>): ByteReader {
  const reader = byobReaderOf(source);
  if (reader === null) return source.getReader();
  return {
    read: (spent, min) => {
      const into = spent === null ? new Uint8Array(bufferBytes) : new Uint8Array(spent.buffer as ArrayBuffer);
      return min === 1 ? reader.read(into) : reader.read(into, { min });
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

/** As the standard has it (WHATWG Streams, section 4.5); not all type libraries know `min`. */
interface GatheringReader {
  read(
    view: Uint8Array<ArrayBuffer>,
    options?: { readonly min: number },
  ): Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>>;
  cancel(reason: unknown): Promise<void>;
}

/** `null`: the source is no byte stream. */
function byobReaderOf(source: ReadableStream<Uint8Array>): GatheringReader | null {
  try {
    return source.getReader({ mode: "byob" });
  } catch (error) {
    if (error instanceof TypeError && !source.locked) return null;
    throw error;
  }
}
