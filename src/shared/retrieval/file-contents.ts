/** Where do the bytes of files lie? In a bucket, or in parts in the owner's Library object: the same port. */
import type { StoredIn } from "../contracts/library.ts";
import type { Jurisdiction, Owner } from "../contracts/owner.ts";

export interface FileAddress {
  readonly owner: Owner;
  readonly jurisdiction: Jurisdiction;
  readonly fileId: string;
}

export interface FileContents {
  /** Where the bytes of a new file of that jurisdiction go. */
  placeFor(jurisdiction: Jurisdiction): StoredIn;
  writer(file: FileAddress, storedIn: StoredIn): FileWriter;
  /** `null`: there are none (any more). */
  open(file: FileAddress, storedIn: StoredIn): Promise<ReadableStream<Uint8Array> | null>;
  /** A part of them, shorter where they end before. `null`: there are none (any more). */
  read(file: FileAddress, storedIn: StoredIn, at: number, length: number): Promise<Uint8Array | null>;
}

/** Takes one file's bytes, in order; holds one part of them at most. A failure throws: the file is then given up. */
export interface FileWriter {
  write(bytes: Uint8Array): Promise<void>;
  /** Nothing is readable before. */
  finish(): Promise<void>;
  /** What was written so far and the Library does not know of (a multipart upload) is let go. */
  abort(): Promise<void>;
}
