import type { BucketAddress } from "../bucket-name.ts";
import type { Amounts, BucketBatch, BucketReply } from "../bucket-protocol.ts";
import type { Tier } from "../tier.ts";
import type { Region } from "./region.ts";

/** Which regional stock: of one org's limits of one tier, in one region. */
export interface StockAddress {
  readonly region: Region;
  readonly tier: Tier;
  readonly bucket: BucketAddress;
}

/** Asks the stock for one loan. Idempotent by `id`: asked again, it hands out the same one. */
export interface DrawRequest {
  readonly version: 1;
  readonly id: string;
  /** The org's own bucket, from which the stock borrows. */
  readonly bucket: BucketAddress;
  /** Under which it borrows: the limits as configured now. */
  readonly terms: Pick<BucketBatch, "rules" | "leaseMs" | "timeZone">;
  /** How large its loans are. */
  readonly block: Amounts;
  /** How many it may have in store. */
  readonly most: number;
}

export interface DrawReply {
  readonly version: 1;
  /** `null`: there is none in store; the bucket is to be asked. */
  readonly loan: {
    readonly id: string;
    readonly receipt: number;
    readonly block: Amounts;
    /** How long ago the bucket was asked for it: its life began then. */
    readonly ageMs: number;
  } | null;
  /** What the bucket said last, and how long ago it was asked; `null`: nothing yet. */
  readonly heard:
    | (Pick<BucketReply, "standing" | "epoch" | "revokedKeys"> & { readonly agoMs: number })
    | null;
}

/** What came of a draw: a loan in time, nothing in store, an answer that came too late, none at all. */
export type DrawOutcome = "loan" | "empty" | "late" | "failed";
