/**
 * A vector in the requested format, whichever format the engine used. Not every server knows `encoding_format`, and OpenAI's own clients
 * ask for base64 unasked: the one for JavaScript reads whatever comes as base64, so that a list of numbers becomes a vector of noise there.
 */
import { isRecord } from "../wire/is-record.ts";

const bytesPerNumber = Float32Array.BYTES_PER_ELEMENT;

/** @param item one of an answer's `data`; what is no vector is passed on */
export function inFormat(item: unknown, format: "float" | "base64"): unknown {
  if (!isRecord(item)) return item;
  const { embedding } = item;
  if (format === "base64" && isNumbers(embedding)) return { ...item, embedding: toBase64(embedding) };
  if (format === "float" && typeof embedding === "string") {
    const numbers = fromBase64(embedding);
    return numbers === null ? item : { ...item, embedding: numbers };
  }
  return item;
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((one) => typeof one === "number");
}

/** Little-endian floats of 32 bits, as OpenAI packs them. */
function toBase64(numbers: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(numbers.length * bytesPerNumber));
  for (const [at, number] of numbers.entries()) view.setFloat32(at * bytesPerNumber, number, true);
  let binary = "";
  for (let at = 0; at < view.byteLength; at += 1) binary += String.fromCharCode(view.getUint8(at));
  return btoa(binary);
}

/** `null`: it is no base64 of whole numbers. */
function fromBase64(text: string): readonly number[] | null {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    // Not base64: nothing that we could read better than the client.
    return null;
  }
  if (binary.length % bytesPerNumber !== 0) return null;
  const view = new DataView(Uint8Array.from(binary, (character) => character.charCodeAt(0)).buffer);
  return Array.from({ length: binary.length / bytesPerNumber }, (_, at) =>
    view.getFloat32(at * bytesPerNumber, true),
  );
}
