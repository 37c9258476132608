/**
 * What the end of a durable turn gets besides its answer: the archive's row among its effects, and a signed receipt where its
 * tenant wants one, in the last event, in the stored answer, and as claims kept with the turn.
 */
import type { NewItem } from "../../contracts/conversation.ts";
import { receiptClaims, type ReceiptClaims } from "../../receipts/receipt.ts";
import type { TenantConfig } from "../../tenancy/tenant-config.ts";
import type { ChatMessage } from "../../wire/chat-messages.ts";
import { chargedUsage } from "../ending.ts";
import type { TurnFacts } from "../turn-facts.ts";
import { type ArchivedRequest, withArchive } from "./archive-effect.ts";
import type { ChatTurnRequest } from "./chat-turn-end.ts";
import { itemsOfMessages } from "./conversation-items.ts";
import type { TurnEnd, TurnRefused } from "./ports.ts";
import type { TurnForm } from "./turn-form.ts";

export interface SealDeps {
  /** Whether this environment has an archive. */
  readonly archives: boolean;
  readonly signReceipt: (claims: ReceiptClaims) => Promise<string>;
}

/** For a turn that its run ended. */
export async function sealEnd(
  end: TurnEnd,
  request: ChatTurnRequest,
  form: TurnForm,
  facts: TurnFacts,
  answer: readonly ChatMessage[],
  deps: SealDeps,
): Promise<TurnEnd> {
  const noted = noteEnd(end, request, facts, () => saidItems(request, answer, end.status), deps.archives);
  if (noted.claims === null) return noted.end;
  const receipt = await deps.signReceipt(noted.claims);
  return { ...noted.end, ...form.sealed(end, receipt) };
}

/**
 * For a turn that was interrupted: what the run knew of clusters, attempts and prices is gone, and no client waits for a
 * signature. Its receipt can be fetched.
 */
export function sealInterrupted(
  outcome: TurnEnd | TurnRefused,
  request: ChatTurnRequest | null,
  price: TurnFacts["price"],
  endedMs: number,
  archives: boolean,
): TurnEnd | TurnRefused {
  if (outcome.status === "refused" || request === null) return outcome;
  const settled = outcome.effects.find((effect) => effect.kind === "settle");
  const facts: TurnFacts = {
    status: outcome.status,
    model: settled?.model ?? null,
    cluster: null,
    attempts: null,
    usage: chargedUsage(outcome),
    basis: outcome.basis,
    microdollars: settled?.microdollars ?? null,
    price,
    screened: request.screened ?? null,
    guarded: null,
    endedMs,
  };
  return noteEnd(outcome, request, facts, () => null, archives).end;
}

function noteEnd(
  end: TurnEnd,
  request: ChatTurnRequest,
  facts: TurnFacts,
  items: () => readonly NewItem[] | null,
  archives: boolean,
): { readonly end: TurnEnd; readonly claims: ReceiptClaims | null } {
  const claims = wantsReceipts(request.tenant)
    ? receiptClaims(request.responseId, request.principal, facts)
    : null;
  const effects = archives ? withArchive(end.effects, archivedRequest(request), facts, items) : end.effects;
  return {
    end: { ...end, effects, ...(claims === null ? {} : { receipt: JSON.stringify(claims) }) },
    claims,
  };
}

/** Absent in turns that older code began. */
export function wantsReceipts(tenant: TenantConfig): boolean {
  return (tenant as Partial<TenantConfig>).receipts === "on";
}

function archivedRequest(request: ChatTurnRequest): ArchivedRequest {
  const { tenant, principal, turnId, responseId, createdMs, conversation } = request;
  const endpoint = responseId.startsWith("resp_") ? "/v1/responses" : "/v1/chat/completions";
  return { tenant, principal, chargeId: turnId, responseId, createdMs, endpoint, conversation };
}

/** For a turn that is kept by its id alone. */
function saidItems(
  request: ChatTurnRequest,
  answer: readonly ChatMessage[],
  status: TurnEnd["status"],
): readonly NewItem[] | null {
  // Items that the conversation did not take are not stored here either.
  if (request.stored !== true || request.conversation !== null) return null;
  if (answer.length === 0) return null;
  return [
    ...itemsOfMessages(request.chat.messages),
    ...itemsOfMessages(answer, status === "completed" ? "completed" : "incomplete"),
  ];
}
