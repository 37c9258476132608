/**
 * What is written about a direct turn when it has ended: a row for the archive, a receipt for its client. Where neither is wanted, no
 * object, promise or second stream is made.
 */
import type { DirectBody, TurnEnding } from "../../src/shared/turn/answer-direct.ts";
import type { ArchivedTurn } from "../../src/shared/archive/ports.ts";
import { sealStream, withReceipt } from "../../src/shared/receipts/attach-receipt.ts";
import { receiptClaims } from "../../src/shared/receipts/receipt.ts";
import type { FleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import type { RequestScope } from "../../src/shared/telemetry/request-scope.ts";
import { archivePolicy, chargeOf } from "../../src/shared/turn/durable/archive-effect.ts";
import { wantsReceipts } from "../../src/shared/turn/durable/seal-end.ts";
import type { LiveTurn } from "../../src/shared/turn/open-turn.ts";
import { turnFactsOf, type TurnFacts } from "../../src/shared/turn/turn-facts.ts";
import type { Isolate } from "./isolate.ts";

/** `null`: neither is wanted. */
export function directNotes(
  isolate: Isolate,
  scope: RequestScope,
  turn: LiveTurn,
  fleet: FleetIndex,
  keepRow: KeepRow,
): DirectNotes | null {
  const archives = isolate.archive.isOn && archivePolicy(turn.tenant) !== "nothing";
  const receipts = wantsReceipts(turn.tenant);
  return archives || receipts
    ? new DirectNotes(isolate, scope, turn, fleet, archives ? keepRow : null, receipts)
    : null;
}

/** Brings a turn's row to the archive. */
export type KeepRow = (row: ArchivedTurn) => void;

class DirectNotes {
  readonly #isolate: Isolate;
  readonly #scope: RequestScope;
  readonly #turn: LiveTurn;
  readonly #fleet: FleetIndex;
  readonly #keepRow: KeepRow | null;
  readonly #receipts: boolean;
  #facts: TurnFacts | null = null;

  constructor(
    isolate: Isolate,
    scope: RequestScope,
    turn: LiveTurn,
    fleet: FleetIndex,
    keepRow: KeepRow | null,
    receipts: boolean,
  ) {
    this.#isolate = isolate;
    this.#scope = scope;
    this.#turn = turn;
    this.#fleet = fleet;
    this.#keepRow = keepRow;
    this.#receipts = receipts;
  }

  /** At the turn's end, before its last bytes go out. */
  ended(ending: TurnEnding): void {
    const { record } = this.#scope;
    const facts = turnFactsOf(this.#turn, this.#fleet, ending, record.screened ?? null, this.#isolate.now());
    this.#facts = facts;
    if (this.#keepRow === null) return;
    const request = { ...this.#turn, endpoint: record.endpoint, conversation: null };
    this.#keepRow({ ...chargeOf(request, facts, "direct"), conversation: null, items: [] });
  }

  /** The answer with its receipt. */
  async seal(body: DirectBody): Promise<DirectBody> {
    if (!this.#receipts || (body.kind === "stream" && typeof body.body === "string")) return body;
    if (body.kind === "stream" && typeof body.body !== "string")
      return {
        kind: "stream",
        body: sealStream(
          body.body,
          this.#turn.asked.choices,
          () => this.#facts !== null,
          () => this.#sign(),
        ),
      };
    if (body.kind !== "json") return body;
    const receipt = await this.#sign();
    return receipt === null ? body : { kind: "json", body: withReceipt(body.body, receipt) };
  }

  /** An answer whose receipt can't be signed goes out without one: it was paid for. */
  async #sign(): Promise<string | null> {
    if (this.#facts === null) return null;
    const { responseId, principal } = this.#turn;
    try {
      return await this.#isolate.receipts.sign(receiptClaims(responseId, principal, this.#facts));
    } catch (error) {
      this.#isolate.report("receipt", String(error));
      return null;
    }
  }
}
