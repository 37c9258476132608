/**
 * A turn enters its conversation: it waits there, by the tenant's policy, until the turn before it has ended, and gets the history. If the
 * turn that it waits for no longer exists (its own object is asked), it is passed over.
 */
import {
  loadHistory,
  type ConversationBusy,
  type History,
} from "../../durable-objects/conversation/load-history.ts";
import { callObject } from "../../durable-objects/storage/call-object.ts";
import { inJurisdiction } from "../../durable-objects/storage/jurisdiction.ts";
import { generationVersion } from "../../src/shared/contracts/generation.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, type Result } from "../../src/shared/contracts/result.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import type { ConversationRef } from "../../src/shared/turn/conversation-name.ts";
import { shownItems } from "../../src/shared/turn/durable/conversation-items.ts";
import type { ChatTurnRequest } from "../../src/shared/turn/durable/chat-turn-end.ts";
import type { EnteredConversation } from "../../src/shared/turn/durable/run-note.ts";
import type { EnteringTurn, RunningTurn } from "../../src/shared/turn/durable/turn-order.ts";
import { objectOfId } from "../../src/shared/turn/response-id.ts";

export type Entered = EnteredConversation & Pick<History, "messages">;

/** @param behind where a resumed turn stood when it began */
export async function enterConversation(
  env: Pick<Cloudflare.Env, "CONVERSATION" | "GENERATION" | "ENVIRONMENT">,
  request: ChatTurnRequest & { readonly conversation: ConversationRef },
  behind: string | null,
  limitTokens: number,
): Promise<Result<Entered, Refusal>> {
  const { conversation, principal, tenant, chat } = request;
  const owner = { tenant: principal.tenant, user: principal.user };
  const { turns: policy, max_wait_seconds: waitSeconds, max_waiting: maxWaiting } = policyOf(tenant);
  const gone: string[] = [];
  const cancelled: string[] = [];
  let busy: ConversationBusy | null = null;
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const turn: EnteringTurn = {
      turnId: request.turnId,
      responseId: request.responseId,
      policy,
      waitMs: waitSeconds * 1000,
      maxWaiting,
      runMs: (tenant.requests.deadline_seconds + leaseMarginSeconds) * 1000,
      input: inputOf(request),
      gone,
      cancelled,
    };
    const loaded = await loadHistory(env.CONVERSATION, env.ENVIRONMENT, {
      conversation,
      owner,
      jurisdiction: tenant.jurisdiction,
      limitTokens,
      upTo: chat.parent_item_id ?? behind ?? undefined,
      turn,
    });
    if (loaded.ok) return loaded;
    if (loaded.error.kind !== "conversation-busy") return err(loaded.error);
    busy = loaded.error;
    const { running } = busy;
    if (policy === "replace" && !cancelled.includes(running.turnId)) {
      const left = await cancelTurn(env, owner, running);
      (left ? cancelled : gone).push(running.turnId);
    } else if (!gone.includes(running.turnId) && (await isGone(env, owner, running))) {
      gone.push(running.turnId);
    } else break;
  }
  return err({ kind: "conflict", message: busyMessage(busy?.why ?? "late") });
}

type Objects = Pick<Cloudflare.Env, "GENERATION" | "ENVIRONMENT">;
type Owner = Parameters<typeof loadHistory>[2]["owner"];

/** Each meets another turn: a replaced one, or one that is gone. */
const mostAttempts = 8;
/** The time for the turn's own object to end it and to report that. */
const leaseMarginSeconds = 120;
/** An ended turn's `append` is awaited for this long. */
const appendLagMs = 10_000;
/** What a second device sees of a running turn. */
const maxInputUnits = 65_536;

/** Turns that older code claimed have no policy. */
function policyOf(tenant: Partial<Pick<TenantConfig, "conversations">>): TenantConfig["conversations"] {
  return (
    tenant.conversations ?? {
      turns: "queue",
      max_wait_seconds: 30,
      max_waiting: 8,
      title_model: null,
      summary_model: null,
    }
  );
}

function inputOf({ chat }: ChatTurnRequest): string | null {
  const input = shownItems(chat.messages);
  return input.length > maxInputUnits ? null : input;
}

function generation(env: Objects, running: RunningTurn) {
  const named = objectOfId(running.responseId);
  return named === null
    ? null
    : inJurisdiction(env.GENERATION, named.jurisdiction, env.ENVIRONMENT).getByName(named.objectName);
}

/** `false`: there is no such turn. A turn that can't be reached is awaited. */
async function cancelTurn(env: Objects, owner: Owner, running: RunningTurn): Promise<boolean> {
  const called = await callObject(async () =>
    generation(env, running)?.cancel({ v: generationVersion, owner }),
  );
  return !called.ok || called.value?.result !== "unknown";
}

async function isGone(env: Objects, owner: Owner, running: RunningTurn): Promise<boolean> {
  const called = await callObject(async () =>
    generation(env, running)?.retrieve({ v: generationVersion, owner }),
  );
  if (!called.ok || called.value === undefined) return false;
  const turn = called.value;
  return turn.result === "unknown" || (turn.result === "ended" && turn.endedMs < Date.now() - appendLagMs);
}

function busyMessage(why: ConversationBusy["why"]): string {
  switch (why) {
    case "running":
      return "Another turn of this conversation is being written. Wait for its end, or cancel it, then send this one again.";
    case "full":
      return "Too many turns of this conversation wait already. Wait for one to end, then send this one again.";
    case "late":
      return "The turns of this conversation before this one took too long. Wait for their end, or cancel them, then send it again.";
  }
}
