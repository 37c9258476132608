import {
  type CredentialsRevoked,
  isRevokedBy,
  type SessionOpening,
} from "../../src/shared/contracts/session.ts";
import type { SessionParts } from "./session-parts.ts";

export type Registered = Awaited<ReturnType<SessionParts["register"]>>;

/**
 * An opening while its buckets are asked. One of them may tell of a revocation before the other has answered: it holds
 * as it would for an open socket.
 */
export class Registration {
  readonly #opening: SessionOpening;
  #revoked = false;

  constructor(opening: SessionOpening) {
    this.#opening = opening;
  }

  told(message: CredentialsRevoked): void {
    this.#revoked ||= isOpenedBy(this.#opening, message);
  }

  /** Where it is refused the buckets are told so: one of them may have taken it in. */
  async ask(parts: SessionParts, background: (work: Promise<void>) => void): Promise<Registered> {
    const answered = await parts.register(this.#opening);
    const outcome = this.#revoked ? "revoked" : answered;
    if (outcome !== "open") background(parts.unregister(this.#opening));
    return outcome;
  }
}

/** Whether the credential that opened it is among those that are revoked. */
export function isOpenedBy({ principal }: SessionOpening, message: CredentialsRevoked): boolean {
  const { issuedAtMs, key } = principal;
  return isRevokedBy({ issuedAtMs, keyId: key?.id ?? null }, message);
}
