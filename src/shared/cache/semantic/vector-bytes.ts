/**
 * A vector as it is stored and sent: one byte per dimension. The cosine of unit vectors is then off by less than 0.01, which is finer than
 * thresholds are set, and a search reads a quarter of the bytes that floats would take.
 */
export interface PackedVector {
  /** Signed, −127 to 127. */
  readonly bytes: Uint8Array;
  /** What 1 stands for. */
  readonly scale: number;
}

export function packVector(values: Float32Array): PackedVector {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  const scale = largest === 0 ? 1 : largest / 127;
  const bytes = new Int8Array(values.length);
  for (const [at, value] of values.entries()) bytes[at] = Math.round(value / scale);
  return { bytes: new Uint8Array(bytes.buffer), scale };
}

/** The cosine of two vectors that had length 1. 0 where they are not of one length. */
export function similarity(one: PackedVector, other: PackedVector): number {
  const { length } = one.bytes;
  if (length !== other.bytes.length) return 0;
  const left = new Int8Array(one.bytes.buffer, one.bytes.byteOffset, length);
  const right = new Int8Array(other.bytes.buffer, other.bytes.byteOffset, length);
  let sum = 0;
  for (let at = 0; at < length; at += 1) sum += (left[at] ?? 0) * (right[at] ?? 0);
  return Math.min(1, sum * one.scale * other.scale);
}
