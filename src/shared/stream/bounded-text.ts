/** Bytes that a strict decoder does not take. */
export class Undecodable extends TypeError {}

/**
 * All of a body as text, without trusting its size; `null`: it is longer than `maxBytes`, and the rest is let go. Rejects where the body
 * breaks off, and by `Undecodable` where a strict decoder meets bytes that are none of its text.
 */
export async function boundedText(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
  decoder = new TextDecoder(),
): Promise<string | null> {
  const reader = body.getReader();
  let text = "";
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoded(() => decoder.decode());
      bytes += value.byteLength;
      if (bytes > maxBytes) {
        await reader.cancel("too large");
        return null;
      }
      text += decoded(() => decoder.decode(value, { stream: true }));
    }
  } catch (error) {
    if (error instanceof Undecodable) await reader.cancel(error);
    throw error;
  }
}

function decoded(decode: () => string): string {
  try {
    return decode();
  } catch (error) {
    throw new Undecodable("bytes that are none of the text", { cause: error });
  }
}
