/**
 * What does a request cost that needed work before admission (a guard model judged its prompt, its files were read) and then led to no
 * turn?
 *
 * The platform pays for the guard's tokens and the reader's CPU, but both are shared: somebody who keeps them busy with blocked prompts,
 * unreadable files or conversations that do not exist would slow them down for everybody. So such a request counts as
 * one, as a moderation does, whatever is left of the limits. A turn counts by itself; a request that failed by our fault is not counted.
 */
import type { Principal } from "../../src/shared/identity/principal.ts";
import { onlyRequest } from "../../src/shared/limits/admit-request.ts";
import { settleCharge } from "../../src/shared/limits/settle-charge.ts";
import { randomHex } from "../../src/shared/telemetry/correlation.ts";
import type { Background } from "../../src/shared/contracts/background.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import type { Isolate } from "./isolate.ts";

export class JudgedRequest {
  readonly #count: () => void;
  #isAsked = false;
  #isInVain = false;

  constructor(count: () => void) {
    this.#count = count;
  }

  /** The guard is asked, or files are read. May come when the request has ended: a prompt that is only flagged waits for nothing. */
  asked(): void {
    if (!this.#isAsked && this.#isInVain) this.#count();
    this.#isAsked = true;
  }

  /** The request led to no turn of its own. */
  inVain(): void {
    if (!this.#isInVain && this.#isAsked) this.#count();
    this.#isInVain = true;
  }
}

export interface JudgedSender {
  readonly isolate: Isolate;
  readonly principal: Principal;
  readonly tenant: TenantConfig;
}

export function judgedRequest(
  { isolate, principal, tenant }: JudgedSender,
  background: Background,
): JudgedRequest {
  return new JudgedRequest(() => {
    const { org, user, tier, key } = principal;
    const charge = { chargeId: `judged-${randomHex(16)}`, tenant, org, user, tier, key };
    background.run("judged request", settleCharge(isolate.callBucket, charge, onlyRequest(null)));
  });
}

/** The alias of the guard model for this tenant's prompts. */
export function guardOf({ safety: { moderation } }: TenantConfig): string | null {
  return moderation === undefined || moderation.input === "off" ? null : moderation.model;
}

/** By the request's scope, for the code that answers it. */
const judged = new WeakMap<object, JudgedRequest>();

/** The same object each time. */
export function judgedCall(
  call: JudgedSender & { readonly scope: { readonly background: Background } },
): JudgedRequest {
  const known = judged.get(call.scope) ?? judgedRequest(call, call.scope.background);
  judged.set(call.scope, known);
  return known;
}

/** The request of this scope led to no turn of its own. */
export function wasInVain(scope: object): void {
  judged.get(scope)?.inVain();
}
