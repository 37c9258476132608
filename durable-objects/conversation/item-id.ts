import { base32, base32Number, parseBase32Number } from "../../src/shared/turn/base32.ts";

/**
 * An item's public id: `msg_` or the like, the sequence in eight characters, then 80 random bits. The sequence makes
 * `after=<id>` a look-up by primary key; the random part makes ids differ across conversations.
 */
const prefixes: Record<string, string> = {
  message: "msg_",
  function_call: "fc_",
  function_call_output: "fco_",
  reasoning: "rs_",
};

export function itemId(type: string, sequence: number, entropy: Uint8Array): string {
  return (prefixes[type] ?? "item_") + base32Number(sequence, 8) + base32(entropy, 16);
}

/** The sequence in an item's id; `null` for what is no such id. The row's own id must still be compared. */
export function sequenceOf(id: string): number | null {
  const match = /^(?:[a-z]+_)([0-9a-z]{8})[0-9a-z]{16}$/.exec(id);
  return match?.[1] === undefined ? null : parseBase32Number(match[1]);
}
