/**
 * How are vectors kept? As bytes: each value in steps of the vector's largest, so that a unit vector of n values takes n + 4 bytes, and a
 * cosine is off by less than 0.01. Many in one block, since a row a vector costs more to read than to compare.
 */

/** Most bytes of a block: a row of an object's SQLite holds 2 MB. */
const maxBlockBytes = 512 * 1024;
const maxBlockVectors = 512;

export function vectorsPerBlock(dimensions: number): number {
  return Math.max(1, Math.min(maxBlockVectors, Math.floor(maxBlockBytes / (dimensions + 4))));
}

/** One factor a vector, then the bytes of all. */
export function packVectors(vectors: readonly Float32Array[], dimensions: number): ArrayBuffer {
  const buffer = new ArrayBuffer(vectors.length * (4 + dimensions));
  const factors = new Float32Array(buffer, 0, vectors.length);
  const bytes = new Int8Array(buffer, vectors.length * 4);
  for (const [index, vector] of vectors.entries()) {
    if (vector.length !== dimensions) throw new RangeError("a vector of another length");
    let largest = 0;
    for (const value of vector) largest = Math.max(largest, Math.abs(value));
    if (!Number.isFinite(largest)) throw new RangeError("a vector that holds no numbers");
    factors[index] = largest / 127;
    const scale = largest === 0 ? 0 : 127 / largest;
    const from = index * dimensions;
    for (let at = 0; at < dimensions; at += 1) bytes[from + at] = Math.round((vector[at] ?? 0) * scale);
  }
  return buffer;
}

/** As they were packed, each value to within half a step. */
export function unpackVectors(block: ArrayBuffer, dimensions: number): Float32Array[] {
  const count = vectorsIn(block, dimensions);
  const factors = new Float32Array(block, 0, count);
  const bytes = new Int8Array(block, count * 4);
  return Array.from({ length: count }, (_, index) => {
    const factor = factors[index] ?? 0;
    return Float32Array.from(
      bytes.subarray(index * dimensions, (index + 1) * dimensions),
      (byte) => byte * factor,
    );
  });
}

function vectorsIn(block: ArrayBuffer, dimensions: number): number {
  const count = block.byteLength / (4 + dimensions);
  if (!Number.isInteger(count)) throw new RangeError("a block of vectors of another length");
  return count;
}

/** A query's values that are not zero: of a sparse one most products need not be made. */
export interface QueryVector {
  readonly places: Int32Array;
  readonly values: Float32Array;
  readonly dimensions: number;
}

export function toQueryVector(vector: Float32Array): QueryVector {
  const places: number[] = [];
  for (let at = 0; at < vector.length; at += 1) if (vector[at] !== 0) places.push(at);
  return {
    places: Int32Array.from(places),
    values: Float32Array.from(places, (at) => vector[at] ?? 0),
    dimensions: vector.length,
  };
}

/** The cosine of the query with each vector of the block, in their order. */
export function blockCosines(block: ArrayBuffer, { places, values, dimensions }: QueryVector): Float32Array {
  const count = vectorsIn(block, dimensions);
  const factors = new Float32Array(block, 0, count);
  const bytes = new Int8Array(block, count * 4);
  const cosines = new Float32Array(count);
  const length = places.length;
  for (let index = 0; index < count; index += 1) {
    const from = index * dimensions;
    let sum = 0;
    for (let at = 0; at < length; at += 1)
      // `length` is theirs: neither is ever undefined here, and a check a product would double the time.
      sum += (values[at] as number) * (bytes[from + (places[at] as number)] as number);
    cosines[index] = sum * (factors[index] ?? 0);
  }
  return cosines;
}
