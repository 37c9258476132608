import type { FileErrorCode } from "../../src/shared/contracts/knowledge-base.ts";
import { chunkPages } from "../../src/shared/retrieval/chunk-pages.ts";
import type { Passage } from "../../src/shared/retrieval/passage.ts";
import type { DocumentReader, Embedder } from "../../src/shared/retrieval/ports.ts";
import { readFileText } from "../../src/shared/retrieval/read-file-text.ts";
import type { Work } from "./file-records.ts";

/**
 * What came of a file: passages with their vectors, a permanent failure, or one that may pass. `null`: the file is not wanted any more.
 */
export type Ingested =
  | {
      readonly kind: "passages";
      readonly passages: readonly Passage[];
      readonly vectors: readonly Float32Array[];
      readonly embedderId: string;
    }
  | { readonly kind: "failed"; readonly code: FileErrorCode; readonly message: string }
  | { readonly kind: "again"; readonly detail: string }
  | null;

export interface IngestDeps {
  open(): Promise<ReadableStream<Uint8Array> | null>;
  embedder(): Promise<Embedder>;
  /** `null`: no document reader is bound. */
  readonly documents: DocumentReader | null;
  /** Lets others in. */
  pause(): Promise<void>;
  /** Asked at every step: a file may be deleted, or its batch cancelled, while it is worked on. */
  isWanted(): boolean;
  /** How many passages the store has room for. */
  readonly room: number;
  /** How many of them, by the dimensions of their vectors, the store has room for. */
  roomFor(passages: number, dimensions: number): Promise<number>;
}

/** Bytes of one file's vectors, which are in memory until they are written together with its passages. */
const maxVectorBytes = 48 * 1_048_576;

/** Texts embedded at a time. */
const embedBatch = 64;

/** fetch ▸ extract ▸ chunk ▸ embed. Writes nothing: its caller writes all or nothing. Throws where one of its dependencies throws. */
export async function ingest(work: Work, deps: IngestDeps): Promise<Ingested> {
  const body = await deps.open();
  if (!deps.isWanted()) {
    await body?.cancel();
    return null;
  }
  if (body === null) return failed("invalid_file", "The file's content is gone.");
  const extracted = await readFileText(work, body, deps.documents);
  if (!deps.isWanted()) return null;
  if (!extracted.ok) return failed(extracted.error.code, extracted.error.message);
  const { maxTokens, overlapTokens } = work.chunking;
  const passages = chunkPages(extracted.value, { maxTokens, overlapTokens });
  if (passages.length === 0) return failed("invalid_file", "The file holds no text.");
  if (passages.length > deps.room) return tooMany(passages.length, deps.room);
  const embedder = await deps.embedder();
  const vectors: Float32Array[] = [];
  for (let at = 0; at < passages.length; at += embedBatch) {
    const texts = passages.slice(at, at + embedBatch).map((passage) => passage.text);
    const embedded = await embedder.embed(texts, "passage");
    // An embedder in process waits for nothing: searches that came meanwhile go first.
    await deps.pause();
    if (!deps.isWanted()) return null;
    if (!embedded.ok) return { kind: "again", detail: `not embedded: ${embedded.error.kind}` };
    const dimensions = vectors[0]?.length ?? embedded.value[0]?.length;
    // Exchanged in the middle, perhaps: the next try has one model for all of it.
    if (embedded.value.length !== texts.length || embedded.value.some(({ length }) => length !== dimensions))
      return { kind: "again", detail: "not embedded: vectors of several lengths, or too few" };
    const vectorBytes = (embedded.value[0]?.byteLength ?? 0) * passages.length;
    if (vectorBytes > maxVectorBytes)
      return failed(
        "invalid_file",
        `The file makes ${passages.length} passages, too many for one file. Cut it into larger chunks, or into several files.`,
      );
    if (at === 0) {
      const room = await deps.roomFor(passages.length, embedded.value[0]?.length ?? 0);
      if (!deps.isWanted()) return null;
      if (passages.length > room) return tooMany(passages.length, room);
    }
    vectors.push(...embedded.value);
  }
  return { kind: "passages", passages, vectors, embedderId: embedder.id };
}

function tooMany(passages: number, room: number): Ingested {
  return failed(
    "invalid_file",
    `The file makes ${passages} passages, and the vector store has room for ${room} more.`,
  );
}

function failed(code: FileErrorCode, message: string): Ingested {
  return { kind: "failed", code, message };
}
