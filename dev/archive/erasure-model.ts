import type { ArchivedTurn, ErasureKey } from "../../src/shared/archive/ports.ts";

export function erasureKey(kind: string, tenant: string, number: number): ErasureKey {
  switch (kind) {
    case "conversation":
      return { kind, tenant, conversation: number % 2 === 0 ? "c1" : "c2" };
    case "response":
      return { kind, tenant, responseId: `response-${number}` };
    case "user":
      return { kind, tenant, user: number % 2 === 0 ? "ann" : "bob" };
    default:
      return { kind: "tenant", tenant };
  }
}

/** The model of an erasure: which turns it removes. */
export function erases(key: ErasureKey, beforeMs: number, turn: ArchivedTurn): boolean {
  if (turn.createdMs > beforeMs) return false;
  switch (key.kind) {
    case "conversation":
      return turn.conversation?.conversation === key.conversation;
    case "response":
      return turn.responseId === key.responseId;
    case "user":
      return turn.user === key.user;
    case "tenant":
      return true;
  }
}
