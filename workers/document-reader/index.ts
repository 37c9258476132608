/**
 * The reader of documents as a Worker of its own: private, reached only by the edge Worker's service binding. It parses untrusted PDF and
 * Office files, so their libraries are not in the public Worker, and a document that crashes, exhausts or takes over its reader only
 * reaches an isolate without secrets, bindings or state.
 */
import {
  documentAloneHeader,
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

const room = new ReadingRoom(() => Date.now(), documentBounds.readMs);

export default {
  fetch: (request) => answerDocument(request),
} satisfies ExportedHandler;

export async function answerDocument(request: Request): Promise<Response> {
  const url = new URL(request.url);
  if (url.pathname !== new URL(documentReaderUrl).pathname || request.method !== "POST") return plain(404);
  const bytes = bytesOf(request.headers.get(documentBytesHeader));
  if (bytes === null || request.body === null) return plain(400);
  if (bytes > documentBounds.bytes) return plain(413);
  const isAlone = request.headers.has(documentAloneHeader);
  const leave = await room.enter(
    bytes,
    Date.now() + documentBounds.waitMs,
    () => scheduler.wait(20),
    isAlone,
  );
  if (leave === null) return plain(503);
  // What it has waited for others is no time of its own.
  const untilMs = Date.now() + documentBounds.readMs;
  try {
    const document = await readWhole(request.body, bytes);
    const isOver = (): boolean => request.signal.aborted || Date.now() > untilMs;
    return new Response(toldOnceRead(document, isOver, leave), {
      headers: { ...marked, "content-type": "application/json" },
    });
  } catch (error) {
    leave();
    report(error);
    return plain(500);
  }
}

/** The answer's body. Its headers go before: whoever asked knows from them on that a reader which dies has died in the reading. */
function toldOnceRead(bytes: Uint8Array, isOver: () => boolean, leave: () => void): ReadableStream {
  return new ReadableStream({
    async start(controller) {
      try {
        // The headers' turn.
        await scheduler.wait(0);
        controller.enqueue(new TextEncoder().encode(JSON.stringify(await answerTo(bytes, isOver))));
        controller.close();
      } finally {
        leave();
      }
    },
  });
}

async function answerTo(bytes: Uint8Array, isOver: () => boolean): Promise<DocumentAnswer> {
  try {
    return answerOf(await readDocument(bytes, { ...inflate, pdf: (pdf) => pdfText(pdf, isOver) }));
  } catch (error) {
    report(error);
    return { result: "fault" };
  }
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

function report(error: unknown): void {
  // Its name alone: a message may hold what stands in the document.
  const detail = error instanceof Error ? error.name : "thrown value";
  // oxlint-disable-next-line no-console -- faults are rare and this Worker writes no request log: the edge does.
  console.error(JSON.stringify({ level: "error", worker: "document-reader", component: "read", detail }));
}
