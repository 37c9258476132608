/** What retrieval needs from outside, and what the rest of Edgewise asks of it. */
import type { Refusal } from "../contracts/refusal.ts";
import type { Result } from "../contracts/result.ts";
import type { FileReason } from "./decode-text.ts";
import type { ExtractedText } from "./extract-text.ts";
import type { AttributeFilter } from "./attribute-filter.ts";
import type { Scored } from "./best-few.ts";
import type { OutsideBounds } from "./outside-bounds.ts";
import type { FoundPassage } from "./passage.ts";

/** Vectors of unit length. `id` names model and version: vectors of two ids are never compared. */
export interface Embedder {
  readonly id: string;
  readonly dimensions: number;
  /** One vector a text, in their order. */
  embed(
    texts: readonly string[],
    purpose: "query" | "passage",
  ): Promise<Result<readonly Float32Array[], Refusal>>;
  /** The weight of a rank in its list relative to the same rank in the list by words; absent: equal. */
  readonly weight?: number;
}

export interface Reranker {
  readonly id: string;
  /** A score of 0 to 1 each, in the passages' order. */
  rank(query: string, passages: readonly string[]): Promise<Result<readonly number[], Refusal>>;
  /** The weight of its score against the score of the search, 0 to 1; absent: 1. */
  readonly share?: number;
}

/** Takes documents apart (PDF, DOCX, PPTX, XLSX) in another Worker: a hostile one only costs that Worker's isolate. */
export interface DocumentReader {
  /**
   * @param body that many bytes
   * @param isAlone no other document is read at the same time: if the reader crashes, this one was the cause
   * @returns `null`: no reader is bound, and none will be
   * Throws where it broke off: another try may go well. A DocumentReaderDied where that was in the middle of the reading.
   */
  read(
    body: ReadableStream<Uint8Array>,
    bytes: number,
    isAlone?: boolean,
  ): Promise<Result<ExtractedText, FileReason> | null>;
}

/** The reader of documents ended in the middle: out of memory or time over this document, or over one that was read beside it. */
export class DocumentReaderDied extends Error {}

/** It lived, but its caller gave up in the middle of the reading. */
export class DocumentReaderLate extends DocumentReaderDied {}

/** Vectors of one store, made by one embedder, that lie outside its object. What was just written may be found only later. */
export interface VectorIndex {
  /**
   * The same again changes nothing. Vectors of no length at all, which are near nothing, are left out.
   *
   * @returns what the index calls this change (`IndexState.change`); `null`: there was nothing to write
   */
  upsert(vectors: readonly { readonly id: number; readonly values: Float32Array }[]): Promise<string | null>;
  /** Also of those that are not there. */
  remove(ids: readonly number[]): Promise<void>;
  /** Nearest first; `score` is the cosine. What was removed may be among them for some time. */
  nearest(query: Float32Array, limit: number): Promise<readonly Scored[]>;
}

/** Where vectors of large stores may lie outside of their objects: one index, of one number of dimensions, for all tenants. */
export interface OutsideVectors {
  readonly bounds: OutsideBounds;
  /** Apart from all others': no other tenant's, store's or embedder's vectors are ever found. */
  of(whose: VectorOwner): Promise<VectorIndex>;
  state(): Promise<IndexState>;
}

export interface VectorOwner {
  readonly tenant: string;
  readonly storeId: string;
  readonly embedderId: string;
}

export interface IndexState {
  readonly dimensions: number;
  /** Of all tenants together. */
  readonly vectors: number;
  /** The latest change that is found, with all that came before it; `null`: it does not say. */
  readonly change: string | null;
  /** When that was made, or carried out (which one, its documentation tells both ways), by the index's clock. */
  readonly changeMs: number | null;
}

/**
 * What a turn and the search route ask of a vector store.
 * @public
 */
export interface KnowledgeSource {
  search(storeId: string, search: PassageSearch): Promise<Result<FoundPassages, Refusal>>;
}

export interface PassageSearch {
  /** At least one; what any of them finds is found. */
  readonly queries: readonly string[];
  /** 1 to 50. */
  readonly maxResults: number;
  readonly filters: AttributeFilter | null;
  /** 0 to 1: passages below it are left out. */
  readonly scoreThreshold: number;
  readonly rerank: boolean;
}

/** `vectors`: more may be near to the question; `rerank`: the order, and so what is last, is that of the words and vectors alone. */
export type LackingPart = "vectors" | "rerank";

export interface FoundPassages {
  readonly passages: readonly FoundPassage[];
  /** Changes whenever what could be found changes. */
  readonly contentVersion: string;
  /** Parts of the search that were skipped, wholly or partly; absent: none. */
  readonly lacking?: readonly LackingPart[];
}
