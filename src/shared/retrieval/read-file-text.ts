import type { FileErrorCode } from "../contracts/knowledge-base.ts";
import { err, type Result } from "../contracts/result.ts";
import { documentBounds } from "../documents/document-bounds.ts";
import { isCalledDocument, isDocument } from "../documents/document-form.ts";
import { extractText, type ExtractedText, isNamedText } from "./extract-text.ts";
import type { DocumentReader } from "./ports.ts";

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

type FileText = Result<ExtractedText, { readonly code: FileErrorCode; readonly message: string }>;

/**
 * The text of a file. Throws where the stream breaks off, or is not as long as the file, or where the reader of documents can't be had.
 * @param documents `null`: no reader is bound
 */
export async function readFileText(
  file: FileFacts,
  body: ReadableStream<Uint8Array>,
  documents: DocumentReader | null,
): Promise<FileText> {
  const { filename, mediaType } = file;
  // LangChain says `application/pdf` of every file that it sends in OpenAI's form.
  if (documents !== null && isCalledDocument(filename, mediaType) && !isNamedText(filename)) {
    if (file.bytes > documentBounds.bytes) return tooLong(body, documentBounds.bytes);
    return (await documents.read(body, file.bytes)) ?? err(unsupported);
  }
  if (file.bytes > maxSearchableBytes) return tooLong(body, maxSearchableBytes);
  const bytes = await readWhole(body, file.bytes);
  // A document under another name is recognised by its bytes.
  const text = extractText({ bytes, filename, mediaType }, documents !== null);
  if (text.ok || documents === null || !isDocument(bytes)) return text;
  return (await documents.read(streamOf(bytes), bytes.byteLength)) ?? text;
}

/** As if no document reader were bound. */
const unsupported = {
  code: "unsupported_file",
  message:
    "Documents (PDF, DOCX, PPTX, XLSX) can't be read here; text, Markdown, HTML, JSON, CSV and code can.",
} as const;

async function tooLong(body: ReadableStream<Uint8Array>, mostBytes: number): Promise<FileText> {
  await body.cancel();
  return err({
    code: "invalid_file",
    message: `The file is over ${mostBytes} bytes, the most that can be read.`,
  });
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

/** Throws where it is not as long as said. */
export async function readWhole(body: ReadableStream<Uint8Array>, length: number): Promise<Uint8Array> {
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
