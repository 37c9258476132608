/**
 * Weights of eight bits as text in a source file: a character for each that is near 0, as most are, and `!` with two hexadecimal digits for
 * each other one. Zipped, as Workers are bounded, these are an eighth less than in base64, whose characters cut across bytes.
 */
const largest = 45;
/** The character of 0; 45 below it and above it are printable, without the double quotation mark. */
const zero = 80;

export function packWeights(bytes: Int8Array): string {
  return Array.from(bytes, (byte) =>
    Math.abs(byte) <= largest
      ? String.fromCharCode(zero + byte)
      : `!${(byte & 255).toString(16).padStart(2, "0")}`,
  ).join("");
}

export function unpackWeights(text: string): Int8Array {
  return Int8Array.from(text.match(/!..|[^!]/g) ?? [], (one) =>
    one.length === 1 ? one.charCodeAt(0) - zero : Number.parseInt(one.slice(1), 16),
  );
}
