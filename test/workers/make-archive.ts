/** ZIP archives for tests, honest ones and others. */
import { crc32, deflateRawSync } from "node:zlib";

export interface Entry {
  readonly name: string;
  readonly content: string | Uint8Array;
  /** Absent: deflated. */
  readonly isStored?: boolean;
  /** In the directory, in place of what is true. */
  readonly lies?: Partial<Record<"flags" | "method" | "crc" | "packedBytes" | "bytes" | "offset", number>>;
  /** Its numbers stand in a ZIP64 field, as writers that do not know how long it will be leave them. */
  readonly isZip64?: boolean;
}

export function makeZip(entries: readonly Entry[], count = entries.length): Uint8Array<ArrayBuffer> {
  const locals: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = utf8(entry.name);
    const bytes = typeof entry.content === "string" ? utf8(entry.content) : entry.content;
    const packed = entry.isStored === true ? bytes : deflateRawSync(bytes);
    const told = {
      flags: 0x800,
      method: entry.isStored === true ? 0 : 8,
      crc: crc32(bytes),
      packedBytes: packed.byteLength,
      bytes: bytes.byteLength,
      offset,
      ...entry.lies,
    };
    const sizes = [told.crc, told.packedBytes, told.bytes] as const;
    const local = joined([
      fields(
        [4, 0x04034b50],
        [2, 20],
        [2, told.flags],
        [2, told.method],
        [4, 0],
        [4, sizes[0]],
        [4, sizes[1]],
        [4, sizes[2]],
      ),
      fields([2, name.byteLength], [2, 0]),
      name,
      packed,
    ]);
    const extra =
      entry.isZip64 === true
        ? fields([2, 1], [2, 24], [8, told.bytes], [8, told.packedBytes], [8, told.offset])
        : new Uint8Array(0);
    const short = (value: number): number => (entry.isZip64 === true ? 0xffffffff : value);
    locals.push(local);
    directory.push(
      joined([
        fields([4, 0x02014b50], [2, 20], [2, 20], [2, told.flags], [2, told.method], [4, 0], [4, told.crc]),
        fields(
          [4, short(told.packedBytes)],
          [4, short(told.bytes)],
          [2, name.byteLength],
          [2, extra.byteLength],
        ),
        fields([2, 0], [2, 0], [2, 0], [4, 0], [4, short(told.offset)]),
        name,
        extra,
      ]),
    );
    offset += local.byteLength;
  }
  const length = directory.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const end = fields(
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, count],
    [2, count],
    [4, length],
    [4, offset],
    [2, 0],
  );
  return joined([...locals, ...directory, end]);
}

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.byteLength;
  }
  return bytes;
}

/** Numbers of so many bytes each, the small end first. */
function fields(...all: readonly (readonly [bytes: number, value: number])[]): Uint8Array {
  const bytes = new Uint8Array(all.reduce((sum, [length]) => sum + length, 0));
  let at = 0;
  for (const [length, value] of all) {
    let rest = BigInt(value);
    for (let index = 0; index < length; index += 1, rest >>= 8n) bytes[at + index] = Number(rest & 0xffn);
    at += length;
  }
  return bytes;
}
