import { DocumentReaderDied } from "../../src/shared/retrieval/ports.ts";
import { readingAlone } from "../../src/shared/retrieval/reading-alone.ts";
import type { Work } from "./file-records.ts";
import { ingest, type Ingested } from "./ingest.ts";
import type { StorePieces } from "./store-pieces.ts";

/** Tries of a file that fails for a reason that may pass, or whose object dies over it. */
const maxAttempts = 6;
/** Attempts at a document on which its reader crashes. From the second on it is read alone, so that no other document can be the cause. */
const maxDeaths = 3;
const retryMs = 5_000;

/**
 * Makes one file findable. Each try is written before it begins, so that a kill at any step is followed by another try, up to a bound; what
 * came of it is one transaction, which first checks whether the file is still wanted.
 */
export class FileProcessor {
  readonly #pieces: StorePieces;

  constructor(pieces: StorePieces) {
    this.#pieces = pieces;
  }

  /** At the alarm. Never throws for the file's sake. */
  async processNext(): Promise<void> {
    const { storage, store } = this.#pieces;
    const head = store.head();
    if (head === null || head.deletedMs !== null || head.expiredMs !== null) return;
    const nowMs = Date.now();
    const work = store.files.begin(nowMs, (attempts) => nowMs + backoffMs(attempts));
    if (work === null) return;
    // Should this memory be lost, the alarm is there all the same.
    await storage.setAlarm(nowMs + backoffMs(work.attempts));
    this.#keep(work, work.attempts > maxAttempts ? givenUp : await this.#ingested(work));
  }

  async #ingested(work: Work): Promise<Ingested> {
    const { store, outside, parts } = this.#pieces;
    const head = store.head();
    if (head === null) return null;
    const { owner, jurisdiction } = head;
    const { fileId, storedIn } = work;
    try {
      return await ingest(work, {
        open: () => parts.open({ owner, jurisdiction, fileId }, storedIn),
        documents: work.attempts > 1 ? readingAlone(parts.documents) : parts.documents,
        embedder: async () => (await parts.models(owner.tenant)).embedder,
        pause: () => scheduler.wait(0),
        isWanted: () => store.files.isWanted(work),
        room: Math.max(0, outside.most(head) - store.files.passagesBeside(fileId)),
        roomFor: (passages, dimensions) => outside.room(head, fileId, passages, dimensions),
      });
    } catch (error) {
      if (error instanceof DocumentReaderDied && work.attempts >= maxDeaths) return deadly;
      return { kind: "again", detail: String(error) };
    }
  }

  /** No await: nothing comes between the look and the write. What the tables refuse is undone as a whole, and tried again. */
  #keep(work: Work, ingested: Ingested): void {
    const { storage, passages } = this.#pieces;
    if (ingested?.kind === "passages") passages.open();
    try {
      storage.transactionSync(() => this.#write(work, ingested));
    } catch (error) {
      storage.transactionSync(() => this.#write(work, { kind: "again", detail: String(error) }));
    }
  }

  #write(work: Work, ingested: Ingested): void {
    const { store, passages: passageStore, removals, parts } = this.#pieces;
    const { files } = store;
    const { fileId } = work;
    if (ingested === null || !files.isWanted(work)) return;
    switch (ingested.kind) {
      case "passages": {
        const { passages, vectors, embedderId } = ingested;
        const { filename, attributes } = files.file(fileId) ?? work;
        passageStore.put({ id: fileId, filename, attributes, passages, vectors, embedderId });
        files.completed(fileId, passages.length, bytesOf(passages, vectors));
        break;
      }
      case "failed":
        removals.passagesOf(fileId);
        files.failed(fileId, ingested.code, ingested.message);
        break;
      case "again":
        parts.report("knowledge-base", `a file is tried again: ${ingested.detail}`);
        if (work.attempts < maxAttempts) {
          files.putOff(work, Date.now() + backoffMs(work.attempts));
          break;
        }
        removals.passagesOf(fileId);
        files.failed(fileId, givenUp.code, givenUp.message);
        break;
    }
  }
}

const givenUp = {
  kind: "failed",
  code: "server_error",
  message: "The file could not be processed. Attach it again to have it tried again.",
} as const;

const deadly = {
  kind: "failed",
  code: "invalid_file",
  message: `The document could not be read: it takes more memory or time than there is for one, and its reader ended over it ${maxDeaths} times. Save it anew, print it to a PDF, or split it.`,
} as const;

function backoffMs(attempts: number): number {
  return retryMs * 2 ** Math.min(attempts - 1, 6);
}

function bytesOf(passages: readonly { readonly text: string }[], vectors: readonly Float32Array[]): number {
  const encoder = new TextEncoder();
  let bytes = 0;
  for (const { text } of passages) bytes += encoder.encode(text).byteLength;
  // As vector-block.ts keeps them.
  for (const vector of vectors) bytes += vector.length + 4;
  return bytes;
}
