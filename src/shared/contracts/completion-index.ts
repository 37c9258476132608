import type { Owner } from "./owner.ts";

/**
 * Messages to a CompletionIndex object: which chat completions has one user stored? One object a user. The Generation objects are the
 * source of truth; each reports to the index until it is acknowledged (docs/decisions/0067).
 */
export const completionIndexVersion = 1;

interface Message {
  readonly v: typeof completionIndexVersion;
  readonly owner: Owner;
}

/** What the list is narrowed by. The completion itself is its object's. */
export interface CompletionEntry {
  /** As clients see it (`chatcmpl-…`). */
  readonly id: string;
  /** The model that answered. */
  readonly model: string;
  /** JSON object of strings. */
  readonly metadata: string;
  /** When its object forgets it, and the list as well. Milliseconds since 1970. */
  readonly untilMs: number;
}

/** What one completion is, now. Idempotent: a revision that is not above the last one known changes nothing. */
export interface TellCompletion extends Message {
  /** The Generation object's name, by which the index knows it. */
  readonly objectName: string;
  /** A time, so that a name that is used again (a claim) is above the remembered revision of its deletion. */
  readonly revision: number;
  /** Its place in the list; never changes. */
  readonly createdMs: number;
  /** `null`: it was deleted. */
  readonly entry: CompletionEntry | null;
}
export type TellCompletionOutcome = { readonly result: "told" } | CompletionIndexFailure;

export interface ListCompletions extends Message {
  /** The object of the completion that the page begins behind; `null`: at the beginning. */
  readonly after: string | null;
  /** 1 to 100. */
  readonly limit: number;
  readonly order: "asc" | "desc";
  /** `null`: of any model. */
  readonly model: string | null;
  /** Pairs that all must be there; at most 16. As pairs, since no key of an object's is safe from being its prototype's. */
  readonly metadata: readonly (readonly [key: string, value: string])[];
}
export type ListCompletionsOutcome =
  | { readonly result: "ok"; readonly entries: readonly ListedCompletion[]; readonly hasMore: boolean }
  | { readonly result: "after-unknown" }
  | CompletionIndexFailure;

export interface ListedCompletion {
  readonly id: string;
  readonly objectName: string;
}

export type CompletionIndexFailure =
  /** Another user's: only possible by a mistake of ours. */
  { readonly result: "unknown" } | { readonly result: "version-unsupported"; readonly supported: number };

/** Of the responses that one user keeps by their ids alone, by the same class: a list for erasures alone. */
export function responseIndexName({ tenant, user }: Owner): string {
  return `${responseIndexPrefix(tenant)}${JSON.stringify(user)}`;
}

export function responseIndexPrefix(tenant: string): string {
  return `${tenant}/responses/`;
}

/** Different for every tenant and user, as a bucket's name is: a tenant's id holds no `/`, and the user comes last. */
export function completionIndexName({ tenant, user }: Owner): string {
  return `${tenant}/completions/${JSON.stringify(user)}`;
}
