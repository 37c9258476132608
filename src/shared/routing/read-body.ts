/** How does a body begin? Reads a bounded part of it and leaves the rest as the stream it was, for native piping. */
import { concatBytes } from "../stream/concat-bytes.ts";

export interface Beginning {
  readonly bytes: Uint8Array;
  /** What follows, untouched; null where the body ended. */
  readonly rest: ReadableStream<Uint8Array> | null;
}

/** Reads until there are at least so many bytes, or the end. Usually that is one chunk, which is not copied. */
export async function readBeginning(
  body: ReadableStream<Uint8Array>,
  atLeastBytes: number,
): Promise<Beginning> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < atLeastBytes) {
    const { done, value } = await reader.read();
    if (done) return { bytes: whole(chunks, bytes), rest: null };
    chunks.push(value);
    bytes += value.byteLength;
  }
  reader.releaseLock();
  return { bytes: whole(chunks, bytes), rest: body };
}

/** At most so many bytes of a body, as text; the rest is cancelled. For error bodies and metrics pages. */
export async function readAtMost(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<string> {
  const { bytes, rest } = await readBeginning(body, maxBytes);
  if (rest !== null) await rest.cancel();
  return new TextDecoder().decode(bytes.byteLength > maxBytes ? bytes.subarray(0, maxBytes) : bytes);
}

function whole(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const [first] = chunks;
  return first !== undefined && chunks.length === 1 ? first : concatBytes(chunks, bytes);
}
