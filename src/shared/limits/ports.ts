import type { ChargeId } from "../contracts/ids.ts";
import type { Result } from "../contracts/result.ts";
import type { Principal } from "../identity/principal.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { AdmissionFailure } from "./admission-failure.ts";
import type { TokenPrice } from "./cost.ts";
import type { Place } from "./regional/region.ts";

/** What a turn asks to be let in for. */
export interface AdmissionRequest {
  readonly principal: Principal;
  readonly tenant: TenantConfig;
  /** Idempotency key of the charge: asking twice with one id reserves once. */
  readonly chargeId: ChargeId;
  /** Tokens of the prompt, estimated. */
  readonly promptTokens: number;
  /** Tokens of answer to set aside (at most what `max_tokens` allows), all choices together. */
  readonly answerTokens: number;
  /** How many answers: what fits is shared by them. */
  readonly choices: number;
  /** The highest price that it may be charged at. */
  readonly price: TokenPrice;
  /** Where the client is, as far as is known: whose region's stock of loans is near. */
  readonly place: Place;
  /**
   * Asked again for a turn of which something was delivered and whose charge is settled by its id, elsewhere: should it be
   * refused now, nothing is given back.
   */
  readonly isResumed?: true;
  /** No client waits for it: it leaves half of the places for requests at once free. */
  readonly yields?: boolean;
}

/** The limit nearest to refusal, for `x-ratelimit-*`. */
export interface LimitStanding {
  readonly requests: NearestLimit;
  readonly tokens: NearestLimit;
}

export interface NearestLimit {
  readonly limit: number;
  readonly remaining: number;
  readonly resetMs: number;
  /** Scope and window: `user/requests_per_hour`. */
  readonly name: string;
}

/** What a turn used. */
export interface TurnUse {
  readonly tokens: number;
  /** 0 gives the request back too. */
  readonly requests: 0 | 1;
  readonly microdollars: number;
  /** The model that answered; `null`: none did. */
  readonly model: string | null;
}

/** For a turn that reached no model: everything is given back. */
export const unused: TurnUse = { tokens: 0, requests: 0, microdollars: 0, model: null };

/** Tokens set aside for one charge in the user's and the org's bucket together, until it is settled, once. */
export interface Reservation {
  readonly chargeId: ChargeId;
  readonly standing: LimitStanding;
  /** Tokens reserved so far. */
  readonly tokens: number;
  /** And what they may cost. */
  readonly microdollars: number;
  /**
   * Raise the reservation to these totals. Resolves at once where a loan covers it. `false`: nothing left, or nobody to ask;
   * `refusal` says which.
   */
  extend(totalTokens: number, totalMicrodollars: number): boolean | Promise<boolean>;
  /**
   * Why `extend` was not granted; `null`: it always was. Its `largestMaxTokens` is room for prompt and all choices together,
   * what is reserved already included.
   */
  readonly refusal: AdmissionFailure | null;
  /**
   * Replace the reservation by what was used. Idempotent. Returns at once; the report to the bucket is batched and goes
   * out under `Background`. A turn that never reached a model settles 0 tokens; a turn refused for its own fault
   * (validation after admission) also returns its request.
   */
  settle(used: TurnUse): void;
}

export interface Admission {
  /** At most one round trip (user and org asked at the same time), none where a loan covers both. */
  admit(request: AdmissionRequest): Promise<Result<Reservation, AdmissionFailure>>;
}
