import type { FileWriter } from "./file-contents.ts";

/** What takes a file in parts: all of `partBytes` but the last. */
export interface PartSink {
  readonly partBytes: number;
  /** @param bytes whose memory is used again when it has resolved */
  put(part: number, bytes: Uint8Array<ArrayBuffer>, isLast: boolean): Promise<void>;
  abort(): Promise<void>;
}

/** Cuts what comes in pieces of any size into parts. It holds one part, whatever the length of the file, in memory that the next one is read into. */
export function partedWriter(sink: PartSink): FileWriter {
  let memory = new Uint8Array(0);
  let heldBytes = 0;
  let part = 0;
  const grow = (): void => {
    const larger = new Uint8Array(Math.min(sink.partBytes, Math.max(2 * memory.byteLength, firstBytes)));
    larger.set(memory);
    memory = larger;
  };
  const flush = async (isLast: boolean): Promise<void> => {
    // A view of a part of it would be sent with all that lies around.
    await sink.put(part, heldBytes === memory.byteLength ? memory : memory.slice(0, heldBytes), isLast);
    heldBytes = 0;
    part += 1;
  };
  return {
    async write(bytes) {
      let at = 0;
      while (at < bytes.byteLength) {
        // A full part waits for the next byte: the last one must be known as the last.
        if (heldBytes === sink.partBytes) await flush(false);
        if (heldBytes === memory.byteLength) grow();
        // A copy: whoever hands a piece over may use its memory again.
        const taken = bytes.subarray(at, at + memory.byteLength - heldBytes);
        memory.set(taken, heldBytes);
        heldBytes += taken.byteLength;
        at += taken.byteLength;
      }
    },
    finish: () => flush(true),
    async abort() {
      memory = new Uint8Array(0);
      heldBytes = 0;
      await sink.abort();
    },
  };
}

/** Most files are short. */
const firstBytes = 65_536;
