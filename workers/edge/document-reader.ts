/** The reader of documents behind its binding, as ingestion asks it (src/shared/retrieval/ports.ts). */
import {
  documentAloneHeader,
  documentAnswerSchema,
  documentBytesHeader,
  documentReaderHeader,
  documentReaderUrl,
  mostAnswerBytes,
} from "../../src/shared/contracts/document-reading.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import { documentBounds } from "../../src/shared/documents/document-bounds.ts";
import type { FileReason } from "../../src/shared/retrieval/decode-text.ts";
import type { ExtractedText } from "../../src/shared/retrieval/extract-text.ts";
import {
  type DocumentReader,
  DocumentReaderDied,
  DocumentReaderLate,
} from "../../src/shared/retrieval/ports.ts";

/** The reader itself gives up earlier, and says so. */
const latestMs = documentBounds.waitMs + documentBounds.readMs + 30_000;

/**
 * `null`: nothing is bound.
 *
 * @param deadlineMs for a caller that gives up sooner
 */
export function documentReader(
  {
    DOCUMENT_READER: reader,
    ENVIRONMENT: environment,
  }: Pick<Cloudflare.Env, "DOCUMENT_READER" | "ENVIRONMENT">,
  deadlineMs: number = latestMs,
): DocumentReader | null {
  if (reader === undefined) return null;
  return {
    async read(body, bytes, isAlone = false) {
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), deadlineMs);
      try {
        const response = await reader.fetch(documentReaderUrl, {
          method: "POST",
          headers: {
            [documentBytesHeader]: String(bytes),
            ...(isAlone ? { [documentAloneHeader]: "1" } : {}),
          },
          body,
          signal: late.signal,
        });
        if (response.status === 200 && response.headers.has(documentReaderHeader))
          return await readAnswer(response);
        await response.body?.cancel();
        // `npx wrangler dev` with the edge alone: what is bound to is not there, and wrangler answers in its place.
        if (environment === "local" && !response.headers.has(documentReaderHeader)) return null;
        throw new Error(`the reader of documents answered ${response.status}`);
      } catch (error) {
        if (late.signal.aborted && error instanceof DocumentReaderDied)
          throw new DocumentReaderLate("the reader of documents is late", { cause: error });
        throw error;
      } finally {
        // A timer that is left would keep the object in memory until it fires.
        clearTimeout(timer);
      }
    },
  };
}

async function readAnswer(response: Response): Promise<Result<ExtractedText, FileReason>> {
  const read = documentAnswerSchema.safeParse(JSON.parse(await boundedText(response)));
  // Not the schema's own words, which may repeat the answer's text.
  if (!read.success) throw new Error("the reader of documents gave no answer that is understood");
  const answer = read.data;
  if (answer.result === "fault") throw new Error("the reader of documents has a fault");
  if (answer.result === "refused") return err({ code: answer.code, message: answer.message });
  const { text, kind, page_starts: pageStarts } = answer;
  return ok({ text, kind, ...(pageStarts === undefined ? {} : { pageStarts }) });
}

/** An isolate that a document took over could answer anything, at any length. */
async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let text = "";
  let bytes = 0;
  for await (const piece of whileItLives(response)) {
    bytes += piece.byteLength;
    if (bytes > mostAnswerBytes) throw new Error("the reader of documents says too much");
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

async function* whileItLives({ body }: Response): AsyncGenerator<Uint8Array> {
  const pieces = body?.getReader();
  if (pieces === undefined) return;
  try {
    for (;;) {
      const piece = await pieces.read().catch((error: unknown) => {
        throw new DocumentReaderDied("the reader of documents died", { cause: error });
      });
      if (piece.done) return;
      yield piece.value;
    }
  } finally {
    // An answer that is too long is not read on; one that has ended, or crashed, ignores the cancel.
    await pieces.cancel().catch(() => undefined);
  }
}
