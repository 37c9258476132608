/**
 * What does a usage receipt say? The claims of a signed statement of the platform's (RFC 7515): what one turn was charged, by
 * which model and price, and what guards found. No content, and nothing of the platform's inside (clusters, replicas).
 */
import type { ArchivedPrice } from "../archive/ports.ts";
import type { EndStatus } from "../contracts/generation.ts";
import type { UsageBasis } from "../contracts/usage.ts";
import type { Principal } from "../identity/principal.ts";
import type { TurnFacts } from "../turn/turn-facts.ts";

/** RFC 7519's claims and ours. Fields are only added. */
export interface ReceiptClaims {
  readonly iss: "edgewise";
  /** The response's id. */
  readonly jti: string;
  /** When the turn ended, seconds since 1970: the same turn's receipt is the same bytes. */
  readonly iat: number;
  readonly tenant: string;
  readonly org: string;
  readonly user: string;
  readonly status: EndStatus;
  readonly model: string | null;
  /** Of the prompt's tokens, `cached_tokens` were in the engine's prefix cache. */
  readonly usage: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly cached_tokens: number;
    readonly reasoning_tokens: number;
  };
  /** How the tokens were counted. */
  readonly usage_basis: UsageBasis;
  /** US dollars; `null`: older code's turn did not remember it, and is charged at the model's dearest price. */
  readonly cost: number | null;
  /** US dollars per million tokens, and the version of the price list. */
  readonly price: ArchivedPrice | null;
  /** Engines that were asked until one answered. */
  readonly attempts: number | null;
  /** Kinds and counts, `email:2`; `null`: nothing was found, or nothing was looked for. */
  readonly guards: { readonly prompt: string | null; readonly answer: string | null };
}

export function receiptClaims(
  responseId: string,
  { tenant, org, user }: Pick<Principal, "tenant" | "org" | "user">,
  facts: TurnFacts,
): ReceiptClaims {
  const { usage, price, microdollars } = facts;
  return {
    iss: "edgewise",
    jti: responseId,
    iat: Math.floor(facts.endedMs / 1000),
    tenant,
    org,
    user,
    status: facts.status,
    model: facts.model,
    usage: {
      prompt_tokens: usage.promptTokens,
      completion_tokens: usage.completionTokens,
      cached_tokens: usage.cachedTokens,
      reasoning_tokens: usage.reasoningTokens,
    },
    usage_basis: facts.basis,
    cost: microdollars === null ? null : microdollars / 1_000_000,
    price,
    attempts: facts.attempts,
    guards: { prompt: facts.screened, answer: facts.guarded },
  };
}
