import { conversationVersion } from "../../src/shared/contracts/conversation.ts";
import type { Jurisdiction, Owner } from "../../src/shared/contracts/owner.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import type { ConversationRef } from "../../src/shared/turn/conversation-name.ts";
import { messagesOfItems } from "../../src/shared/turn/durable/conversation-items.ts";
import { summaryMessage } from "../../src/shared/turn/durable/conversation-summary.ts";
import type { EnteringTurn, RunningTurn } from "../../src/shared/turn/durable/turn-order.ts";
import type { ChatMessage } from "../../src/shared/wire/chat-messages.ts";
import { callObject, calledObject } from "../storage/call-object.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";
import type { Conversation } from "./conversation.ts";

export interface History {
  /** Oldest first. */
  readonly messages: readonly ChatMessage[];
  readonly truncated: boolean;
  /** For the `append` at the turn's end. */
  readonly incarnation: number;
  /** The same, of a turn that asked for no item: the branch's end. `null`: older code does not say. */
  readonly behind: string | null;
}

const maxItems = 2000;

/** Only where `turn` was given. */
export interface ConversationBusy {
  readonly kind: "conversation-busy";
  readonly why: "running" | "full" | "late";
  readonly running: RunningTurn;
}

/** A conversation's latest messages for a turn; a turn is never answered without its history: if it can't be read, the turn is refused. */
export async function loadHistory(
  namespace: DurableObjectNamespace<Conversation>,
  environment: Cloudflare.Env["ENVIRONMENT"],
  asked: {
    readonly conversation: ConversationRef;
    readonly owner: Owner;
    readonly jurisdiction: Jurisdiction;
    /** The model's window: nothing beyond it can be used. */
    readonly limitTokens: number;
    /** The history up to this item, or of this branch; absent: all of the active branch. */
    readonly upTo?: string | undefined;
    /** The turn that it is for. Absent: somebody only reads. */
    readonly turn?: EnteringTurn;
  },
): Promise<Result<History, Refusal | ConversationBusy>> {
  const { conversation, owner, limitTokens } = asked;
  const called = await callObject(
    async () =>
      inJurisdiction(namespace, asked.jurisdiction, environment)
        .getByName(conversation.objectName)
        .history({
          v: conversationVersion,
          owner,
          mustExist: conversation.mustExist,
          limitItems: maxItems,
          limitTokens,
          upTo: asked.upTo ?? null,
          ...(asked.turn === undefined ? {} : { turn: asked.turn }),
        }),
    calledObject("conversation", conversation.objectName),
  );
  if (!called.ok) return unavailable(called.error.retryAfterMs, called.error.detail);
  const outcome = called.value;
  switch (outcome.result) {
    case "ok":
      return ok({
        messages: [
          // Instructions that stand before everything are never trimmed away, and stay the same until the next summary.
          ...(outcome.summary == null ? [] : [summaryMessage(outcome.summary)]),
          ...messagesOfItems(outcome.items),
        ],
        truncated: outcome.truncated,
        incarnation: outcome.incarnation,
        behind: outcome.behind ?? null,
      });
    case "unknown":
      return err({ kind: "object-unknown" });
    case "busy":
      return err({ kind: "conversation-busy", why: outcome.why, running: outcome.running });
    case "item-unknown":
      return err({
        kind: "value-invalid",
        param: "parent_item_id",
        message:
          "'parent_item_id' must name an item of this conversation, not one between a tool's call and its result.",
      });
    case "branches-full":
      return err({
        kind: "value-invalid",
        param: "parent_item_id",
        message: `'parent_item_id' would begin a branch, and a conversation has at most ${outcome.most}: name the last item of one.`,
      });
    case "version-unsupported":
      return unavailable(1000, `speaks version ${outcome.supported}`);
  }
}

function unavailable(retryAfterMs: number, detail: string): Result<never, Refusal> {
  return err({ kind: "dependency-unavailable", component: "conversation", retryAfterMs, detail });
}
