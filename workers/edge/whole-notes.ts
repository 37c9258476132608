/**
 * What is written about a request that is answered without a live turn (vectors, a verdict, a count, a hit of the answer cache): a row for the
 * archive, and, where it cost something, a receipt for its client.
 */
import { receiptClaims } from "../../src/shared/receipts/receipt.ts";
import { withReceipt } from "../../src/shared/receipts/attach-receipt.ts";
import type { RequestScope } from "../../src/shared/telemetry/request-scope.ts";
import { archivePolicy, chargeOf } from "../../src/shared/turn/durable/archive-effect.ts";
import { wantsReceipts } from "../../src/shared/turn/durable/seal-end.ts";
import type { LedgeredTurn } from "../../src/shared/turn/ports.ts";
import type { WholeCharge } from "../../src/shared/turn/settle-whole.ts";
import type { TurnFacts } from "../../src/shared/turn/turn-facts.ts";
import type { KeepRow } from "./direct-notes.ts";
import type { Isolate } from "./isolate.ts";

export class WholeNotes {
  readonly #isolate: Isolate;
  readonly #scope: RequestScope;
  readonly #keepRow: KeepRow;
  #noted: { readonly turn: LedgeredTurn; readonly facts: TurnFacts } | null = null;

  constructor(isolate: Isolate, scope: RequestScope, keepRow: KeepRow) {
    this.#isolate = isolate;
    this.#scope = scope;
    this.#keepRow = keepRow;
  }

  /** Once, as it is settled. */
  readonly note = (turn: LedgeredTurn, charge: WholeCharge): void => {
    const { record } = this.#scope;
    const endedMs = this.#isolate.now();
    const facts = { ...charge, screened: record.screened ?? null, guarded: null, endedMs };
    this.#noted = { turn, facts };
    if (!this.#isolate.archive.isOn || archivePolicy(turn.tenant) === "nothing") return;
    const request = { ...turn, endpoint: record.endpoint, conversation: null };
    this.#keepRow({ ...chargeOf(request, facts, "direct"), conversation: null, items: [] });
  };

  /**
   * The answer with its receipt. One that can't be signed goes out without: it was paid for.
   *
   * @param body JSON
   */
  async seal(body: string): Promise<string> {
    if (this.#noted === null || this.#noted.facts.attempts === 0) return body;
    const { turn, facts } = this.#noted;
    if (!wantsReceipts(turn.tenant)) return body;
    try {
      const claims = receiptClaims(turn.responseId, turn.principal, facts);
      return withReceipt(body, await this.#isolate.receipts.sign(claims));
    } catch (error) {
      this.#isolate.report("receipt", String(error));
      return body;
    }
  }
}
