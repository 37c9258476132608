import { noTally, type ResultKind } from "../../src/shared/batches/result-line.ts";
import type { BatchLife } from "../../src/shared/batches/batch-life.ts";
import type { BatchTally } from "../../src/shared/contracts/batch.ts";
import { LazyTables } from "../storage/lazy-tables.ts";
import { batchMigrations, lineStates } from "./batch-tables.ts";
import { LineCharges } from "./line-charges.ts";

/** A request of the batch, and where in the file it is. */
export interface StoredLine {
  readonly number: number;
  readonly customId: string;
  readonly at: number;
  readonly bytes: number;
  /** 0, and one more each time that an answer broke off. */
  readonly attempt: number;
}

type LineRow = { number: number; custom_id: string; at: number; bytes: number; attempt: number };
type TallyRow = {
  completed: number;
  failed: number;
  input_tokens: number;
  cached_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
};

/** One batch in SQL: its description, its lines, and their results until these are in files. */
export class BatchStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #tables: LazyTables;
  /** Of lines that are asked directly. Only where there is a batch. */
  readonly charges: LineCharges;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.charges = new LineCharges(storage.sql);
    this.#tables = new LazyTables(storage, batchMigrations);
  }

  /** Of all that is kept here. */
  get bytes(): number {
    return this.#sql.databaseSize;
  }

  /** `null`: there is none. */
  life(): BatchLife | null {
    if (!this.#tables.areMade) return null;
    const [row] = this.#sql.exec<{ life: string }>("SELECT life FROM batch").toArray();
    return row === undefined ? null : (JSON.parse(row.life) as BatchLife);
  }

  create(life: BatchLife): void {
    this.#tables.make();
    this.#storage.transactionSync(() => {
      this.write(life);
      this.#writeTally(noTally);
    });
  }

  write(life: BatchLife): void {
    this.#sql.exec("INSERT OR REPLACE INTO batch VALUES (1, ?)", JSON.stringify(life));
  }

  tally(): BatchTally {
    const row = this.#sql.exec<TallyRow>("SELECT * FROM tally").one();
    return {
      completed: row.completed,
      failed: row.failed,
      inputTokens: row.input_tokens,
      cachedTokens: row.cached_tokens,
      outputTokens: row.output_tokens,
      reasoningTokens: row.reasoning_tokens,
    };
  }

  /** `false`: another line has its `custom_id`. */
  addLine({ number, customId, at, bytes }: Omit<StoredLine, "attempt">): boolean {
    const added = this.#sql.exec(
      `INSERT INTO line (number, custom_id, at, bytes, state, attempt) VALUES (?, ?, ?, ?, ${lineStates.waiting}, 0)
       ON CONFLICT DO NOTHING RETURNING number`,
      number,
      customId,
      at,
      bytes,
    );
    return added.toArray().length > 0;
  }

  /** The next that may begin behind that number, or from the first; `null`: none waits. */
  nextWaiting(behind: number): StoredLine | null {
    const next = (from: number): StoredLine | undefined =>
      this.#lines(`state = ${lineStates.waiting} AND number > ? ORDER BY number LIMIT 1`, from)[0];
    return next(behind) ?? next(0) ?? null;
  }

  begun(): StoredLine[] {
    return this.#lines(`state = ${lineStates.begun} ORDER BY number`);
  }

  /**
   * Before it is asked: it may have a turn from now on.
   *
   * @returns its charge's id; `null`: it needs none
   */
  begin(life: BatchLife, { number }: StoredLine): string | null {
    return this.#storage.transactionSync(() => {
      this.#setState(number, lineStates.begun);
      return this.charges.begin(life);
    });
  }

  /** It has no turn: it is asked again. */
  putBack({ number }: StoredLine): void {
    this.#setState(number, lineStates.waiting);
  }

  /** Its turn ended without an answer: the next one is another turn. */
  tryAgain({ number, attempt }: StoredLine): void {
    this.#sql.exec(
      `UPDATE line SET state = ${lineStates.waiting}, attempt = ? WHERE number = ? AND attempt = ? AND state = ${lineStates.begun}`,
      attempt + 1,
      number,
      attempt,
    );
  }

  /** Counts once: a later result of the same line changes nothing. */
  record({ number }: StoredLine, kind: ResultKind, text: string, tally: BatchTally): void {
    this.#storage.transactionSync(() => {
      const isNew = this.#sql
        .exec(
          `UPDATE line SET state = ${lineStates.done} WHERE number = ? AND state <> ${lineStates.done} RETURNING number`,
          number,
        )
        .toArray();
      if (isNew.length === 0) return;
      const { place } = this.#sql
        .exec<{ place: number }>(
          "SELECT coalesce(max(place), 0) + 1 AS place FROM result WHERE kind = ?",
          kind,
        )
        .one();
      for (const [piece, part] of piecesOf(text).entries())
        this.#sql.exec("INSERT INTO result VALUES (?, ?, ?, ?)", kind, place, piece, part);
      const before = this.tally();
      this.#writeTally({
        completed: before.completed + tally.completed,
        failed: before.failed + tally.failed,
        inputTokens: before.inputTokens + tally.inputTokens,
        cachedTokens: before.cachedTokens + tally.cachedTokens,
        outputTokens: before.outputTokens + tally.outputTokens,
        reasoningTokens: before.reasoningTokens + tally.reasoningTokens,
      });
    });
  }

  /** All of a kind, in the order in which it came. Nothing may be recorded meanwhile. */
  *results(kind: ResultKind): Generator<string> {
    for (let place = 0, piece = 0; ;) {
      const [row] = this.#sql
        .exec<{ place: number; piece: number; text: string }>(
          `SELECT place, piece, text FROM result WHERE kind = ? AND (place, piece) > (?, ?)
           ORDER BY place, piece LIMIT 1`,
          kind,
          place,
          piece,
        )
        .toArray();
      if (row === undefined) return;
      ({ place, piece } = row);
      yield row.text;
    }
  }

  /** Lines without a result, in order. */
  *unexecuted(): Generator<StoredLine> {
    for (let number = 0; ;) {
      const [line] = this.#lines(
        `state <> ${lineStates.done} AND number > ? ORDER BY number LIMIT 1`,
        number,
      );
      if (line === undefined) return;
      ({ number } = line);
      yield line;
    }
  }

  /** Their results are in files, or there will be none. */
  dropLines(): void {
    this.#sql.exec("DELETE FROM line");
    this.#sql.exec("DELETE FROM result");
  }

  transaction(change: () => void): void {
    this.#storage.transactionSync(change);
  }

  /** The object's storage was deleted. */
  forgotten(): void {
    this.#tables.wereDeleted();
  }

  #lines(where: string, ...values: readonly number[]): StoredLine[] {
    return this.#sql
      .exec<LineRow>(`SELECT number, custom_id, at, bytes, attempt FROM line WHERE ${where}`, ...values)
      .toArray()
      .map(({ custom_id: customId, ...line }) => ({ ...line, customId }));
  }

  #setState(number: number, state: number): void {
    this.#sql.exec(
      `UPDATE line SET state = ? WHERE number = ? AND state <> ${lineStates.done}`,
      state,
      number,
    );
  }

  #writeTally(tally: BatchTally): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO tally VALUES (1, ?, ?, ?, ?, ?, ?)",
      tally.completed,
      tally.failed,
      tally.inputTokens,
      tally.cachedTokens,
      tally.outputTokens,
      tally.reasoningTokens,
    );
  }
}

/** UTF-16 units, each of three bytes at most: SQLite holds values of 2 MB. */
const pieceUnits = 500_000;

/** Never between the halves of a surrogate pair: each piece is text by itself. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    let end = Math.min(text.length, at + pieceUnits);
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end -= 1;
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
