/** What the semantic cache needs from outside. */
import type { Jurisdiction } from "../../contracts/owner.ts";

/** Whose questions: one user's, or (`user: null`) a tenant's whose answers are shared. */
export interface IndexPlace {
  readonly tenant: string;
  readonly user: string | null;
  readonly jurisdiction: Jurisdiction;
}

export interface SimilarQuery {
  /** Everything of a request but its last words (semantic-question.ts), hashed. */
  readonly scope: string;
  /** Of length 1. */
  readonly vector: Float32Array;
  readonly atLeast: number;
  /** 1 to 16. */
  readonly limit: number;
}

/** A question that was answered before. Never its text. */
export interface SimilarEntry {
  /** Under which the exact cache holds its answer. */
  readonly answerKey: string;
  readonly score: number;
  /** QuestionFeatures as JSON. */
  readonly features: string;
}

export interface NewEntry {
  readonly scope: string;
  readonly vector: Float32Array;
  readonly answerKey: string;
  readonly features: string;
  readonly expiresMs: number;
  /** When it was asked: what was erased since stays erased. */
  readonly askedMs: number;
  /** A keyed hash of the user who asked, so that a shared index can forget one. */
  readonly askedBy: string;
  readonly maxEntries: number;
}

/** Vectors of answered questions. Throws where it can't be asked. */
export interface SemanticIndex {
  /** Nearest first. */
  nearest(place: IndexPlace, query: SimilarQuery): Promise<readonly SimilarEntry[]>;
  /** Idempotent by scope and answer key. */
  keep(place: IndexPlace, entry: NewEntry): Promise<void>;
}

/** What a tenant's, or one of its users', questions left there is taken away. Throws where it can't be: to be asked again. */
export interface SemanticErasure {
  /** @returns how many users' objects are still to confirm it; they are asked until they do */
  eraseTenant(tenant: string, jurisdiction: Jurisdiction, throughMs: number): Promise<number>;
  /** In the user's own and in the tenant's shared index. */
  eraseUser(place: IndexPlace & { readonly user: string }, askedBy: string, throughMs: number): Promise<void>;
}
