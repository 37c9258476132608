/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a synchronous keyed hash, where WebCrypto's HMAC is asynchronous. Without the key, a text's
 * hash can't be told from a random number, however many others are known. Too short for signatures: it has 64 bits.
 */
const encoder = new TextEncoder();

/** 128 bits: four words, the low ones first. */
export type SipKey = readonly [number, number, number, number];

/** Derives a key from a secret of any length. */
export function sipKeyOf(secret: string): SipKey {
  const zero = [0, 0, 0, 0] as const;
  const [a, b] = sipHash(zero, encoder.encode(`0${secret}`));
  const [c, d] = sipHash(zero, encoder.encode(`1${secret}`));
  return [a, b, c, d];
}

/** 64 bits, the high word first. */
export function sipHash(key: SipKey, bytes: Uint8Array): readonly [number, number] {
  const state = new SipState(key);
  const whole = bytes.length & ~7;
  for (let at = 0; at < whole; at += 8) state.take(wordAt(bytes, at, 4), wordAt(bytes, at + 4, 4));
  const left = bytes.length - whole;
  const high = left > 4 ? wordAt(bytes, whole + 4, left - 4) : 0;
  state.take(wordAt(bytes, whole, Math.min(4, left)), high | (bytes.length << 24));
  return state.finish();
}

/** Little-endian, of up to four bytes. */
function wordAt(bytes: Uint8Array, from: number, count: number): number {
  let word = 0;
  for (let at = 0; at < count; at += 1) word |= (bytes[from + at] ?? 0) << (8 * at);
  return word;
}

/** Four numbers of 64 bits, each as a low and a high word. */
class SipState {
  readonly #v: Int32Array;

  constructor([k0, k1, k2, k3]: SipKey) {
    this.#v = Int32Array.of(
      k0 ^ 0x70736575,
      k1 ^ 0x736f6d65,
      k2 ^ 0x6e646f6d,
      k3 ^ 0x646f7261,
      k0 ^ 0x6e657261,
      k1 ^ 0x6c796765,
      k2 ^ 0x79746573,
      k3 ^ 0x74656462,
    );
  }

  take(low: number, high: number): void {
    this.#xor(3, low, high);
    this.#round();
    this.#round();
    this.#xor(0, low, high);
  }

  finish(): readonly [number, number] {
    this.#xor(2, 0xff, 0);
    for (let round = 0; round < 4; round += 1) this.#round();
    const v = this.#v;
    const low = (v[0] ?? 0) ^ (v[2] ?? 0) ^ (v[4] ?? 0) ^ (v[6] ?? 0);
    const high = (v[1] ?? 0) ^ (v[3] ?? 0) ^ (v[5] ?? 0) ^ (v[7] ?? 0);
    return [high >>> 0, low >>> 0];
  }

  #round(): void {
    this.#add(0, 1);
    this.#turn(1, 13);
    this.#mix(1, 0);
    this.#turn(0, 32);
    this.#add(2, 3);
    this.#turn(3, 16);
    this.#mix(3, 2);
    this.#add(0, 3);
    this.#turn(3, 21);
    this.#mix(3, 0);
    this.#add(2, 1);
    this.#turn(1, 17);
    this.#mix(1, 2);
    this.#turn(2, 32);
  }

  #xor(into: number, low: number, high: number): void {
    this.#v[2 * into] = (this.#v[2 * into] ?? 0) ^ low;
    this.#v[2 * into + 1] = (this.#v[2 * into + 1] ?? 0) ^ high;
  }

  #mix(into: number, other: number): void {
    this.#xor(into, this.#v[2 * other] ?? 0, this.#v[2 * other + 1] ?? 0);
  }

  #add(into: number, other: number): void {
    const v = this.#v;
    const low = ((v[2 * into] ?? 0) >>> 0) + ((v[2 * other] ?? 0) >>> 0);
    v[2 * into] = low;
    v[2 * into + 1] = (v[2 * into + 1] ?? 0) + (v[2 * other + 1] ?? 0) + (low > 0xffffffff ? 1 : 0);
  }

  /** Rotates to the left, by at most 32 bits. */
  #turn(at: number, bits: number): void {
    const v = this.#v;
    const low = v[2 * at] ?? 0;
    const high = v[2 * at + 1] ?? 0;
    v[2 * at] = bits === 32 ? high : (low << bits) | (high >>> (32 - bits));
    v[2 * at + 1] = bits === 32 ? low : (high << bits) | (low >>> (32 - bits));
  }
}
