/**
 * What is in a ZIP archive? Its directory, and one entry at a time, unpacked. Written for Office files and for hostile ones: the directory
 * at the end alone is believed, every number in it is held against the archive's length, and an entry is unpacked up to what the directory
 * said of it and to our own bounds, with its checksum.
 *
 * Format: PKWARE's APPNOTE.TXT 6.3.10, 4.3. No spanned archives, no encryption, no method but stored and deflate.
 */
import { documentBounds } from "./document-bounds.ts";
import { Unreadable } from "./unreadable.ts";

/** What the platform unpacks with. */
export interface Inflate {
  /** Truncated input gives the bytes that it holds. */
  inflateRaw(deflated: Uint8Array, mostBytes: number): Uint8Array | "broken" | "longer";
  crc32(bytes: Uint8Array): number;
}

interface ZipEntry {
  readonly isEncrypted: boolean;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  /** Of its local header. */
  readonly offset: number;
}

const endSignature = 0x06054b50;
const endBytes = 22;
const longestComment = 65_535;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const locator64Bytes = 20;
const entrySignature = 0x02014b50;
const entryBytes = 46;
const localSignature = 0x04034b50;
const localBytes = 30;
const zip64Extra = 0x0001;
/** Stands in a field whose value is in the ZIP64 one. */
const elsewhere = 0xffffffff;

export class ZipArchive {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #inflate: Inflate;
  readonly #entries: ReadonlyMap<string, ZipEntry>;
  #unpackedBytes = 0;

  /** @throws Unreadable where it is no archive */
  constructor(bytes: Uint8Array, inflate: Inflate) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#inflate = inflate;
    this.#entries = this.#directory();
  }

  /** Names of parts do not know capitals (ECMA-376 part 2, 6.2.2.2). */
  has(name: string): boolean {
    return this.#entries.has(name.toLowerCase());
  }

  /** `null`: there is no such entry. */
  read(name: string): Uint8Array | null {
    const entry = this.#entries.get(name.toLowerCase());
    if (entry === undefined) return null;
    if (entry.isEncrypted) throw new Unreadable("encrypted");
    this.#unpackedBytes += entry.bytes;
    if (entry.bytes > documentBounds.zipEntryBytes || this.#unpackedBytes > documentBounds.zipBytes)
      throw new Unreadable("too-much-inside");
    const packed = this.#packed(entry);
    const bytes =
      entry.method === 0
        ? packed
        : entry.method === 8
          ? this.#inflate.inflateRaw(packed, entry.bytes)
          : "broken";
    if (
      typeof bytes === "string" ||
      bytes.byteLength !== entry.bytes ||
      this.#inflate.crc32(bytes) !== entry.crc
    )
      throw new Unreadable("broken");
    return bytes;
  }

  #packed({ offset, packedBytes }: ZipEntry): Uint8Array {
    if (this.#u32(offset) !== localSignature) throw new Unreadable("broken");
    // The local header's name and extra fields may be others, and longer ones, than the directory's.
    const from = offset + localBytes + this.#u16(offset + 26) + this.#u16(offset + 28);
    if (from + packedBytes > this.#bytes.byteLength) throw new Unreadable("broken");
    return this.#bytes.subarray(from, from + packedBytes);
  }

  #directory(): ReadonlyMap<string, ZipEntry> {
    const { count, offset } = this.#end();
    if (count > documentBounds.zipEntries) throw new Unreadable("too-much-inside");
    const names = new TextDecoder();
    const entries = new Map<string, ZipEntry>();
    let at = offset;
    for (let left = count; left > 0; left -= 1) {
      if (this.#u32(at) !== entrySignature) throw new Unreadable("broken");
      const nameEnd = at + entryBytes + this.#u16(at + 28);
      const extraEnd = nameEnd + this.#u16(at + 30);
      const end = extraEnd + this.#u16(at + 32);
      if (end > this.#bytes.byteLength) throw new Unreadable("broken");
      const name = names.decode(this.#bytes.subarray(at + entryBytes, nameEnd));
      entries.set(name.replaceAll("\\", "/").replace(/^\/+/, "").toLowerCase(), {
        isEncrypted: (this.#u16(at + 8) & 1) === 1,
        method: this.#u16(at + 10),
        crc: this.#u32(at + 16),
        ...this.#sizes(at, nameEnd, extraEnd),
      });
      at = end;
    }
    return entries;
  }

  /** In a ZIP64 extra field stand those of the three, in this order, that the entry itself has no room for. */
  #sizes(
    at: number,
    extraFrom: number,
    extraEnd: number,
  ): Pick<ZipEntry, "bytes" | "packedBytes" | "offset"> {
    const short = [this.#u32(at + 24), this.#u32(at + 20), this.#u32(at + 42)];
    let from = -1;
    if (short.includes(elsewhere))
      for (let extra = extraFrom; extra + 4 <= extraEnd; extra += 4 + this.#u16(extra + 2))
        if (this.#u16(extra) === zip64Extra) from = extra + 4;
    const [bytes = 0, packedBytes = 0, offset = 0] = short.map((value) => {
      if (value !== elsewhere) return value;
      if (from === -1) throw new Unreadable("broken");
      from += 8;
      return this.#u64(from - 8);
    });
    return { bytes, packedBytes, offset };
  }

  #end(): { readonly count: number; readonly offset: number } {
    const last = this.#bytes.byteLength - endBytes;
    for (let at = last; at >= Math.max(0, last - longestComment); at -= 1) {
      if (this.#u32(at) !== endSignature) continue;
      const locator = at - locator64Bytes;
      if (locator < 0 || this.#u32(locator) !== locator64Signature)
        return { count: this.#u16(at + 10), offset: this.#u32(at + 16) };
      const end64 = this.#u64(locator + 8);
      if (this.#u32(end64) !== end64Signature) throw new Unreadable("broken");
      return { count: this.#u64(end64 + 32), offset: this.#u64(end64 + 48) };
    }
    throw new Unreadable("broken");
  }

  #u16(at: number): number {
    this.#demand(at, 2);
    return this.#view.getUint16(at, true);
  }

  #u32(at: number): number {
    this.#demand(at, 4);
    return this.#view.getUint32(at, true);
  }

  #u64(at: number): number {
    this.#demand(at, 8);
    return Number(this.#view.getBigUint64(at, true));
  }

  #demand(at: number, bytes: number): void {
    if (at < 0 || at + bytes > this.#bytes.byteLength) throw new Unreadable("broken");
  }
}
