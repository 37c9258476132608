import { expect, test } from "vitest";
import { SipHash } from "./sip-hash.ts";

const key = Uint8Array.from({ length: 16 }, (_, at) => at);

/** The first bytes of the reference implementation's `vectors_sip64`, as it prints them: low byte first. */
const published: readonly (readonly [length: number, bytes: string])[] = [
  [0, "310e0edd47db6f72"],
  [1, "fd67dc93c539f874"],
  [2, "5a4fa9d909806c0d"],
  [3, "2d7efbd796666785"],
  [7, "37d1018bf50002ab"],
  [8, "6224939a79f5f593"],
  [15, "e545be4961ca29a1"],
];

test.each(published)("the reference's hash of the first %i bytes", (length, bytes) => {
  const [high, low] = new SipHash(key).halves(Uint8Array.from({ length }, (_, at) => at));
  const out = new DataView(new ArrayBuffer(8));
  out.setUint32(0, low, true);
  out.setUint32(4, high, true);
  expect(Buffer.from(out.buffer).toString("hex")).toBe(bytes);
});

test("another key is another hash, and a short one is none", () => {
  const hash = new SipHash(key).of("word");
  expect(Number.isSafeInteger(hash)).toBe(true);
  expect(new SipHash(key.map((byte) => byte + 1)).of("word")).not.toBe(hash);
  expect(() => new SipHash(key.slice(1))).toThrow("16 bytes");
});
