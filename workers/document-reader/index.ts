/**
 * The reader of documents as a Worker of its own: private, reached only by the edge Worker's service binding. Here PDF and Office files of
 * anybody are taken apart, so that their libraries are not in the public Worker, and a document that breaks, blows up or takes over its
 * reader does so to an isolate that holds no secret, no binding and nobody's state.
 */
import {
  documentBytesHeader,
  documentReaderHeader,
  documentReaderUrl,
  type DocumentAnswer,
} from "../../src/shared/contracts/document-reading.ts";
import type { Result } from "../../src/shared/contracts/result.ts";
import { documentBounds } from "../../src/shared/documents/document-bounds.ts";
import { readDocument } from "../../src/shared/documents/read-document.ts";
import type { FileReason } from "../../src/shared/retrieval/decode-text.ts";
import type { ExtractedText } from "../../src/shared/retrieval/extract-text.ts";
import { readWhole } from "../../src/shared/retrieval/read-file-text.ts";
import { inflate } from "./inflate.ts";
import { pdfText } from "./pdf-text.ts";
import { ReadingRoom } from "./reading-room.ts";

const room = new ReadingRoom(() => Date.now());

export default {
  fetch: (request) => answerDocument(request),
} satisfies ExportedHandler;

export async function answerDocument(request: Request): Promise<Response> {
  const url = new URL(request.url);
  if (url.pathname !== new URL(documentReaderUrl).pathname || request.method !== "POST") return plain(404);
  const bytes = bytesOf(request.headers.get(documentBytesHeader));
  if (bytes === null || request.body === null) return plain(400);
  if (bytes > documentBounds.bytes) return plain(413);
  const untilMs = Date.now() + documentBounds.readMs;
  const leave = await room.enter(bytes, untilMs, () => scheduler.wait(20));
  if (leave === null) return plain(503);
  try {
    return await answerWithin(request.body, bytes, () => request.signal.aborted || Date.now() > untilMs);
  } catch (error) {
    // Its name alone: a message may hold what stands in the document.
    report(error instanceof Error ? error.name : "thrown value");
    return plain(500);
  } finally {
    leave();
  }
}

async function answerWithin(
  body: ReadableStream<Uint8Array>,
  length: number,
  isOver: () => boolean,
): Promise<Response> {
  const bytes = await readWhole(body, length);
  const read = await readDocument(bytes, { ...inflate, pdf: (pdf) => pdfText(pdf, isOver) });
  return Response.json(answerOf(read), { headers: marked });
}

function answerOf(read: Result<ExtractedText, FileReason>): DocumentAnswer {
  if (!read.ok) return { result: "refused", ...read.error };
  const { text, kind, pageStarts } = read.value;
  return {
    result: "text",
    text,
    kind,
    ...(pageStarts === undefined ? {} : { page_starts: [...pageStarts] }),
  };
}

const marked = { [documentReaderHeader]: "1" };

function plain(status: number): Response {
  return new Response(null, { status, headers: marked });
}

function bytesOf(header: string | null): number | null {
  return header !== null && /^\d{1,9}$/.test(header) ? Number(header) : null;
}

function report(detail: string): void {
  // oxlint-disable-next-line no-console -- faults are rare and this Worker writes no request log: the edge does.
  console.error(JSON.stringify({ level: "error", worker: "document-reader", component: "read", detail }));
}
