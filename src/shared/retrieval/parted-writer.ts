import { concatBytes } from "../stream/concat-bytes.ts";
import type { FileWriter } from "./file-contents.ts";

/** What takes a file in parts: all of `partBytes` but the last. */
export interface PartSink {
  readonly partBytes: number;
  put(part: number, bytes: Uint8Array<ArrayBuffer>, isLast: boolean): Promise<void>;
  abort(): Promise<void>;
}

/** Cuts what comes in pieces of any size into parts. It holds one part, whatever the length of the file. */
export function partedWriter(sink: PartSink): FileWriter {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let part = 0;
  const flush = async (isLast: boolean): Promise<void> => {
    const bytes = concatBytes(held, heldBytes);
    held = [];
    heldBytes = 0;
    await sink.put(part, bytes, isLast);
    part += 1;
  };
  return {
    async write(bytes) {
      let at = 0;
      while (at < bytes.byteLength) {
        // A full part waits for the next byte: the last one must be known as the last.
        if (heldBytes === sink.partBytes) await flush(false);
        const taken = bytes.subarray(at, at + sink.partBytes - heldBytes);
        // A copy: whoever hands a piece over may use its memory again.
        held.push(taken.slice());
        heldBytes += taken.byteLength;
        at += taken.byteLength;
      }
    },
    finish: () => flush(true),
    async abort() {
      held = [];
      heldBytes = 0;
      await sink.abort();
    },
  };
}
