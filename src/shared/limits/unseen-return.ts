import { noAmounts, type SettleOperation } from "./bucket-protocol.ts";

/** Gives back what a bucket may have reserved under this id in a call whose answer was lost. */
export function unseenReturn(id: string): SettleOperation {
  return {
    type: "settle",
    id,
    receipt: null,
    sequence: 1,
    used: noAmounts,
    models: [],
    held: noAmounts,
    granted: noAmounts,
    ended: true,
  };
}
