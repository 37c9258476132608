import type { BatchLife } from "../../src/shared/batches/batch-life.ts";
import { chargePrefixOf, type LineDebt, nothingOwed } from "../../src/shared/batches/line-debt.ts";
import { randomHex } from "../../src/shared/telemetry/correlation.ts";
import type { BatchParts } from "./batch-parts.ts";

/** A charge whose line has come to its end, and that its buckets have not heard of. */
interface OwedCharge {
  readonly id: string;
  readonly debt: LineDebt;
}

type Payer = Pick<BatchParts, "pay">;

/**
 * The charges of lines that are asked directly (docs/decisions/0099). Each asking has one, written before anything is set aside under it. What
 * it used is written with its answer; a kill in between leaves a charge that will never be ended: it is given back.
 */
export class LineCharges {
  readonly #sql: SqlStorage;
  #telling: Promise<void> | null = null;
  #heldUntilMs = 0;
  /** Charges up to this id were tried in this round. */
  #tried = "";

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** In the transaction in which its line begins. @returns its id; `null`: lines of that endpoint need none */
  begin({ opening }: BatchLife): string | null {
    const prefix = chargePrefixOf(opening.endpoint);
    if (prefix === null) return null;
    const id = `${prefix}${randomHex(16)}`;
    this.#sql.exec("INSERT INTO charge VALUES (?, NULL)", id);
    return id;
  }

  /** Call it in the transaction of its line's result. */
  owe(id: string | null, debt: LineDebt = nothingOwed): void {
    if (id !== null) this.#sql.exec("UPDATE charge SET debt = ? WHERE id = ?", JSON.stringify(debt), id);
  }

  /** For charges whose askings are lost: nothing will report their use. */
  giveBackOpen(): void {
    this.#sql.exec("UPDATE charge SET debt = ? WHERE debt IS NULL", JSON.stringify(nothingOwed));
  }

  /** In the background. Never throws: what can't be told now is told with the next one, or at the batch's end. */
  tellSoon(life: BatchLife, parts: Pick<BatchParts, "pay" | "report">): void {
    if (Date.now() < this.#heldUntilMs) return;
    this.tell(life, parts).catch((error: unknown) => {
      this.#heldUntilMs = Date.now() + heldMs;
      parts.report(`what a line came to could not be told: ${String(error)}`);
    });
  }

  /** Tells buckets and archive what is owed, until nothing is. Rejects if one can't be reached. */
  async tell(life: BatchLife, parts: Payer): Promise<void> {
    do {
      this.#telling ??= this.#tellAll(life, parts).finally(() => {
        this.#telling = null;
      });
      await this.#telling;
      // What came to be owed while the last of another's round was told.
    } while (this.#owed().length > 0);
  }

  /**
   * One round, on from where the last one stopped: charges that can't be paid hold up none of the others. It stops at the first group of which
   * nothing could be told, since the next would hardly fare better.
   */
  async #tellAll(life: BatchLife, parts: Payer): Promise<void> {
    let first: PromiseRejectedResult | undefined;
    for (let owed = this.#owed(this.#tried); owed.length > 0; owed = this.#owed(this.#tried)) {
      this.#tried = owed.at(-1)?.id ?? "";
      const told = await Promise.allSettled(owed.map((charge) => this.#tellOne(life, charge, parts)));
      const failed = told.filter((one) => one.status === "rejected");
      first ??= failed[0];
      if (first !== undefined && failed.length === owed.length) throw first.reason;
    }
    this.#tried = "";
    if (first !== undefined) throw first.reason;
  }

  async #tellOne(life: BatchLife, { id, debt }: OwedCharge, parts: Payer): Promise<void> {
    const untold = await parts.pay(life, id, debt);
    if (untold === null) {
      this.#sql.exec("DELETE FROM charge WHERE id = ?", id);
      return;
    }
    // Whoever has heard closes the charge, and some time later forgets that: it is not told again.
    this.owe(id, untold.left);
    throw new Error(untold.detail);
  }

  #owed(behind = ""): OwedCharge[] {
    return this.#sql
      .exec<{ id: string; debt: string }>(
        "SELECT id, debt FROM charge WHERE debt IS NOT NULL AND id > ? ORDER BY id LIMIT ?",
        behind,
        toldAtOnce,
      )
      .toArray()
      .map(({ id, debt }) => ({ id, debt: JSON.parse(debt) as LineDebt }));
  }
}

const toldAtOnce = 6;
const heldMs = 5_000;
