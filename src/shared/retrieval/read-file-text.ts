import type { FileErrorCode } from "../contracts/knowledge-base.ts";
import { err, type Result } from "../contracts/result.ts";
import { extractText, type ExtractedText } from "./extract-text.ts";

/** What is known of a file before its bytes are read. */
export interface FileFacts {
  readonly filename: string;
  readonly mediaType: string;
  /** As the Library counted them. */
  readonly bytes: number;
}

/**
 * Bytes of a file whose text is read. All of it is in memory, with its pieces and their vectors: an object has 128 MB. 8 MiB of prose took 6 s of
 * CPU to become 5,000 passages, of the 30 s that an alarm has.
 */
const maxSearchableBytes = 8 * 1_048_576;

/** The text of a file. Throws where the stream breaks off, or is not as long as the file. */
export async function readFileText(
  file: FileFacts,
  body: ReadableStream<Uint8Array>,
): Promise<Result<ExtractedText, { readonly code: FileErrorCode; readonly message: string }>> {
  if (file.bytes > maxSearchableBytes) {
    await body.cancel();
    return err({
      code: "invalid_file",
      message: `The file is over ${maxSearchableBytes} bytes, the most that can be searched.`,
    });
  }
  const bytes = await readWhole(body, file.bytes);
  return extractText({ bytes, filename: file.filename, mediaType: file.mediaType });
}

async function readWhole(body: ReadableStream<Uint8Array>, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for await (const piece of body) {
    if (at + piece.byteLength > length) throw new Error("a file is longer than it was");
    bytes.set(piece, at);
    at += piece.byteLength;
  }
  if (at !== length) throw new Error("a file is shorter than it was");
  return bytes;
}
