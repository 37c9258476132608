/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash that is quick enough to be computed for every word of a question, which
 * WebCrypto's asynchronous HMAC is not. Without the key, a dictionary attack on the hashes is impossible.
 *
 * 64-bit arithmetic on pairs of 32-bit halves: BigInt costs fifty times as much.
 */
export class SipHash {
  readonly #key: readonly [number, number, number, number];

  /** @param key at least 16 bytes, of which the first 16 count; shorter throws. */
  constructor(key: Uint8Array) {
    if (key.length < 16) throw new TypeError("a SipHash key has 16 bytes");
    const view = new DataView(key.buffer, key.byteOffset, 16);
    this.#key = [
      view.getUint32(0, true),
      view.getUint32(4, true),
      view.getUint32(8, true),
      view.getUint32(12, true),
    ];
  }

  /** The lower 48 bits: a whole number that JSON carries exactly. */
  of(text: string): number {
    const [high, low] = this.halves(encoder.encode(text));
    return (high & 0xffff) * 0x1_0000_0000 + low;
  }

  /** Upper and lower 32 bits. */
  halves(bytes: Uint8Array): readonly [high: number, low: number] {
    const [k0l, k0h, k1l, k1h] = this.#key;
    // v0, v1, v2, v3, low half first.
    const v = new Uint32Array([
      k0l ^ 0x70736575,
      k0h ^ 0x736f6d65,
      k1l ^ 0x6e646f6d,
      k1h ^ 0x646f7261,
      k0l ^ 0x6e657261,
      k0h ^ 0x6c796765,
      k1l ^ 0x79746573,
      k1h ^ 0x74656462,
    ]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const whole = bytes.length - (bytes.length % 8);
    for (let at = 0; at < whole; at += 8) compress(v, view.getUint32(at, true), view.getUint32(at + 4, true));
    let low = 0;
    let high = (bytes.length & 0xff) << 24;
    for (let at = whole; at < bytes.length; at += 1) {
      const place = at - whole;
      if (place < 4) low |= view.getUint8(at) << (8 * place);
      else high |= view.getUint8(at) << (8 * (place - 4));
    }
    compress(v, low, high);
    v[4] = (v[4] ?? 0) ^ 0xff;
    for (let turn = 0; turn < 4; turn += 1) round(v);
    return [
      ((v[1] ?? 0) ^ (v[3] ?? 0) ^ (v[5] ?? 0) ^ (v[7] ?? 0)) >>> 0,
      ((v[0] ?? 0) ^ (v[2] ?? 0) ^ (v[4] ?? 0) ^ (v[6] ?? 0)) >>> 0,
    ];
  }
}

const encoder = new TextEncoder();

function compress(v: Uint32Array, low: number, high: number): void {
  v[6] = (v[6] ?? 0) ^ low;
  v[7] = (v[7] ?? 0) ^ high;
  round(v);
  round(v);
  v[0] = (v[0] ?? 0) ^ low;
  v[1] = (v[1] ?? 0) ^ high;
}

function round(v: Uint32Array): void {
  add(v, 0, 2);
  turnLeft(v, 2, 13);
  mix(v, 2, 0);
  swap(v, 0);
  add(v, 4, 6);
  turnLeft(v, 6, 16);
  mix(v, 6, 4);
  add(v, 0, 6);
  turnLeft(v, 6, 21);
  mix(v, 6, 0);
  add(v, 4, 2);
  turnLeft(v, 2, 17);
  mix(v, 2, 4);
  swap(v, 4);
}

function add(v: Uint32Array, to: number, from: number): void {
  const low = (v[to] ?? 0) + (v[from] ?? 0);
  v[to] = low;
  v[to + 1] = (v[to + 1] ?? 0) + (v[from + 1] ?? 0) + (low > 0xffff_ffff ? 1 : 0);
}

function mix(v: Uint32Array, to: number, from: number): void {
  v[to] = (v[to] ?? 0) ^ (v[from] ?? 0);
  v[to + 1] = (v[to + 1] ?? 0) ^ (v[from + 1] ?? 0);
}

/** Turned by 32. */
function swap(v: Uint32Array, at: number): void {
  const low = v[at] ?? 0;
  v[at] = v[at + 1] ?? 0;
  v[at + 1] = low;
}

/** @param bits 1 to 31 */
function turnLeft(v: Uint32Array, at: number, bits: number): void {
  const low = v[at] ?? 0;
  const high = v[at + 1] ?? 0;
  v[at] = (low << bits) | (high >>> (32 - bits));
  v[at + 1] = (high << bits) | (low >>> (32 - bits));
}
