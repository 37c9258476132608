/**
 * The archive's port over a queue: each row or erasure is one message. It decides how much of a turn may be sent:
 *
 * - A tenant of a jurisdiction: never content. Queues know no jurisdiction; the ledger's row says `jurisdiction`.
 * - Content over `maxInlineBytes`: into the bucket first, its key into the message. Without a bucket it is left out, and the
 *   row says `too-large`.
 */
import { maxInlineBytes } from "../content/large-content.ts";
import {
  mostTurnsAtOnce,
  type Archive,
  type ArchivedTurn,
  type ArchiveOutcome,
  type ErasureKey,
} from "./ports.ts";
import {
  archiveMessageVersion,
  type ArchiveMessage,
  type EraseMessage,
  type MessageContent,
  type TurnMessage,
} from "./message.ts";

/** A Queue binding has this shape. */
export interface ArchiveQueue {
  sendBatch(messages: readonly { readonly body: ArchiveMessage }[]): Promise<unknown>;
}

/** An R2 binding has this shape. */
export interface ArchiveObjects {
  put(key: string, value: string): Promise<unknown>;
  delete(key: string): Promise<unknown>;
}

/** @param queue absent: this environment has no archive, and everything is `off` */
export function createQueueArchive(
  queue: ArchiveQueue | undefined,
  objects: ArchiveObjects | undefined,
): Archive {
  if (queue === undefined) return noArchive;
  return {
    isOn: true,
    turn: async (turn) => send(queue, async () => [turnMessage(turn, await contentOf(turn, objects))]),
    charges: async (turns) => {
      if (turns.length > mostTurnsAtOnce) throw new RangeError("too many turns at once");
      return send(queue, async () => turns.map((turn) => turnMessage(turn, noContent)));
    },
    erase: async (key, beforeMs) => send(queue, async () => [eraseMessage(key, beforeMs)]),
  };
}

const off: ArchiveOutcome = { result: "off" };
const noArchive: Archive = {
  isOn: false,
  turn: async () => off,
  charges: async () => off,
  erase: async () => off,
};

const noContent: MessageContent = { kind: "left-out", reason: "none" };

async function send(
  queue: ArchiveQueue,
  make: () => Promise<readonly ArchiveMessage[]>,
): Promise<ArchiveOutcome> {
  try {
    await queue.sendBatch((await make()).map((body) => ({ body })));
    return { result: "accepted" };
  } catch (error) {
    return { result: "unreachable", detail: String(error) };
  }
}

async function contentOf(
  { chargeId, tenant, jurisdiction, items, conversation }: ArchivedTurn,
  objects: ArchiveObjects | undefined,
): Promise<MessageContent> {
  if (items === null) return { kind: "left-out", reason: "policy" };
  if (items.length === 0) {
    // Its conversation was deleted while the queue was away, after a try that had put its content there already.
    if (conversation !== null && conversation.sequence === null)
      await objects?.delete(objectKey(tenant, chargeId));
    return noContent;
  }
  if (jurisdiction !== "none") return { kind: "left-out", reason: "jurisdiction" };
  const json = JSON.stringify(items);
  const bytes = utf8Bytes(json);
  if (bytes <= maxInlineBytes) return { kind: "inline", items: [...items] };
  if (objects === undefined) return { kind: "left-out", reason: "too-large" };
  const key = objectKey(tenant, chargeId);
  await objects.put(key, json);
  return { kind: "object", key, bytes, items: items.length };
}

/** One object a turn: written again, it is the same. */
function objectKey(tenant: string, chargeId: string): string {
  return `archive/${tenant}/${chargeId}.json`;
}

function turnMessage(turn: ArchivedTurn, content: MessageContent): TurnMessage {
  const { usage, conversation } = turn;
  return {
    v: archiveMessageVersion,
    kind: "turn",
    chargeId: turn.chargeId,
    tenant: turn.tenant,
    org: turn.org,
    user: turn.user,
    tier: turn.tier,
    keyId: turn.keyId,
    way: turn.way,
    endpoint: turn.endpoint,
    responseId: turn.responseId,
    conversation: conversation?.conversation ?? null,
    sequence: conversation?.sequence ?? null,
    status: turn.status,
    model: turn.model,
    cluster: turn.cluster,
    attempts: turn.attempts,
    promptTokens: usage.promptTokens,
    completionTokens: usage.completionTokens,
    cachedTokens: usage.cachedTokens,
    reasoningTokens: usage.reasoningTokens,
    basis: turn.basis,
    microdollars: turn.microdollars,
    price: turn.price,
    screened: turn.screened,
    guarded: turn.guarded,
    createdMs: Math.trunc(turn.createdMs),
    endedMs: Math.trunc(turn.endedMs),
    content,
  };
}

function eraseMessage(key: ErasureKey, beforeMs: number): EraseMessage {
  const message = {
    v: archiveMessageVersion,
    kind: "erase",
    tenant: key.tenant,
    beforeMs: Math.ceil(beforeMs),
  } as const;
  switch (key.kind) {
    case "conversation":
      return { ...message, scope: key.kind, key: key.conversation };
    case "response":
      return { ...message, scope: key.kind, key: key.responseId };
    case "user":
      return { ...message, scope: key.kind, key: key.user };
    case "tenant":
      return { ...message, scope: key.kind, key: "" };
  }
}

function utf8Bytes(value: string): number {
  return new TextEncoder().encode(value).length;
}
