/**
 * What can be handed to the archive, and what does the archive promise? The archive is PostgreSQL behind a queue (docs/archive.md): a
 * charge ledger that only grows and holds no content, and content that can be erased by key.
 *
 * No answer waits for any of this. A caller that must not lose a row repeats it until it is `accepted`: rows and erasures may be handed
 * over twice and in any order.
 */
import type { NewItem } from "../contracts/conversation.ts";
import type { EndStatus } from "../contracts/generation.ts";
import type { Jurisdiction } from "../contracts/owner.ts";
import type { Usage, UsageBasis } from "../contracts/usage.ts";

export interface Archive {
  /** Whether this environment has an archive; without one everything is `off`, and no rows need be made. */
  readonly isOn: boolean;
  /** Takes a turn's row, and its content. Idempotent by the charge id: the first one counts. */
  turn(turn: ArchivedTurn): Promise<ArchiveOutcome>;
  /** Takes several at once, all or none. At most `mostTurnsAtOnce`, and without content. */
  charges(turns: readonly ArchivedTurn[]): Promise<ArchiveOutcome>;
  /**
   * Erases content of turns that began at `beforeMs` or earlier, also of those whose row comes later. The ledger's rows
   * stay. Idempotent.
   */
  erase(key: ErasureKey, beforeMs: number): Promise<ArchiveOutcome>;
}

/** A queue takes 256 KB at once, and a row without content has at most 4. */
export const mostTurnsAtOnce = 50;

export type ArchiveOutcome =
  | { readonly result: "accepted" }
  /** This environment, or this tenant, has no archive: nothing to do, and nothing to try again. */
  | { readonly result: "off" }
  /** Try again later. */
  | { readonly result: "unreachable"; readonly detail: string };

/** Whose content. The tenant is part of each: no key of one tenant erases another's. */
export type ErasureKey =
  /** `conversation`: the object's name (`ConversationRef.objectName`), never the caller's own name for it. */
  | { readonly kind: "conversation"; readonly tenant: string; readonly conversation: string }
  /** `responseId` as clients see it. */
  | { readonly kind: "response"; readonly tenant: string; readonly responseId: string }
  | { readonly kind: "user"; readonly tenant: string; readonly user: string }
  | { readonly kind: "tenant"; readonly tenant: string };

/** One turn that has ended, and what it was charged. */
export interface ArchivedTurn {
  /** Unique: the turn id of a durable turn, the response id of a direct one. */
  readonly chargeId: string;
  readonly tenant: string;
  readonly org: string;
  readonly user: string;
  readonly tier: string;
  /** The API key's id, where one was used. */
  readonly keyId: string | null;
  readonly jurisdiction: Jurisdiction;
  /** `direct`: a row that may be lost; its charge lives in its bucket. `durable`: handed over until accepted. */
  readonly way: "direct" | "durable";
  /** The route's pattern, `/v1/chat/completions`. */
  readonly endpoint: string;
  readonly responseId: string;
  readonly conversation: ArchivedPlace | null;
  readonly status: EndStatus;
  /** The model's id in the fleet file; `null`: none answered, or it is not known any more. */
  readonly model: string | null;
  readonly cluster: string | null;
  /** How many replicas were tried; `null`: not known any more. */
  readonly attempts: number | null;
  /** What was charged, not what was generated. */
  readonly usage: Usage;
  readonly basis: UsageBasis;
  /** Millionths of a US dollar; `null`: not known any more, and the bucket was told the model's dearest price. */
  readonly microdollars: number | null;
  readonly price: ArchivedPrice | null;
  /** What the screen found in the prompt and the guard in the answer: kinds and counts, never text. */
  readonly screened: string | null;
  readonly guarded: string | null;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
  readonly endedMs: number;
  /** What was said, in order, the input first. `null`: the tenant keeps none in the archive. */
  readonly items: readonly NewItem[] | null;
}

/** What an effect carries of a turn whose conversation, and with it its place and its items, stand beside it. */
export type ArchivedCharge = Omit<ArchivedTurn, "conversation" | "items">;

/** Where a turn stands. The archive's rows are read in this order. */
export interface ArchivedPlace {
  /** The conversation object's name. */
  readonly conversation: string;
  /** The conversation's own number of the turn's first item; `null`: it was not saved there. */
  readonly sequence: number | null;
}

/** US dollars per million tokens, as they were at the turn. */
export interface ArchivedPrice {
  /** The fleet document's version that says so. */
  readonly version: string;
  readonly input: number;
  readonly output: number;
  /** Of cached tokens of the prompt. Absent: as `input`. */
  readonly cached_input?: number | undefined;
}
