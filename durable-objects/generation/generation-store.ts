import type { EndStatus, StartTurn } from "../../src/shared/contracts/generation.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import type { Usage } from "../../src/shared/contracts/usage.ts";
import type { JournalRow } from "../../src/shared/turn/durable/journal.ts";
import type { Effect, TurnOutcome } from "../../src/shared/turn/durable/ports.ts";
import type { OutboxState, TurnState } from "../../src/shared/turn/durable/turn-state.ts";
import { LongText } from "./long-text.ts";

/**
 * A turn's tables (docs/storage.md): the turn, its journal, its outbox. Only SQL and its transactions.
 *
 * One object holds one turn, so that a table of versions would cost three rows a turn: the version stands in the turn's
 * own row. Tables are made by `claim`, so that an object that was only asked about holds nothing.
 */
const schema = [
  `CREATE TABLE turn (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1), schema_version INTEGER NOT NULL,
     turn_id TEXT NOT NULL, owner_tenant TEXT NOT NULL, owner_user TEXT NOT NULL, fingerprint TEXT,
     status TEXT NOT NULL, created_ms INTEGER NOT NULL, ended_ms INTEGER, pruned INTEGER NOT NULL,
     interval_ms INTEGER NOT NULL, replay_ms INTEGER NOT NULL, retention_ms INTEGER NOT NULL, deadline_ms INTEGER NOT NULL,
     headers TEXT, refusal TEXT, usage TEXT, response TEXT, request TEXT)`,
  `CREATE TABLE journal (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, usage TEXT, payload TEXT NOT NULL)`,
  `CREATE TABLE outbox (
     id INTEGER PRIMARY KEY, effect TEXT, attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL)`,
];
/** Migrations come after the first version's tables: entry n leads from version n + 1 to n + 2. They only ever add. */
const migrations: readonly string[] = [];
const schemaVersion = 1 + migrations.length;

export interface Turn extends TurnState {
  readonly turnId: string;
  readonly intervalMs: number;
  readonly headers: Record<string, string> | null;
  readonly refusal: Refusal | null;
}

export interface OutboxEntry {
  readonly id: number;
  readonly effect: Effect;
  readonly attempts: number;
}

type TurnRow = {
  turn_id: string;
  schema_version: number;
  owner_tenant: string;
  owner_user: string;
  fingerprint: string | null;
  status: string;
  created_ms: number;
  ended_ms: number | null;
  pruned: number;
  interval_ms: number;
  replay_ms: number;
  retention_ms: number;
  deadline_ms: number;
  headers: string | null;
  refusal: string | null;
};
type JournalRowRecord = { first: number; count: number; usage: string | null; payload: string };

export class GenerationStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #texts: LongText;
  /** The turn as its row has it. The row is read once a wake and written only here. */
  #turn: Turn | null;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#texts = new LongText(storage.sql);
    this.#turn = this.#load();
  }

  get turn(): Turn | null {
    return this.#turn;
  }

  claim(message: StartTurn, nowMs: number): Turn {
    this.#storage.transactionSync(() => {
      for (const statement of [...schema, ...migrations]) this.#sql.exec(statement);
      const { owner, policy } = message;
      this.#sql.exec(
        `INSERT INTO turn VALUES (1, ?, ?, ?, ?, ?, 'running', ?, NULL, 0, ?, ?, ?, ?, NULL, NULL, NULL, NULL, ?)`,
        schemaVersion,
        message.turnId,
        owner.tenant,
        owner.user,
        message.fingerprint,
        nowMs,
        policy.intervalMs,
        policy.replayMs,
        policy.retentionMs,
        policy.deadlineMs,
        this.#texts.write("request", message.request),
      );
    });
    return this.#reload();
  }

  /** The request as it came; `null` once pruned. */
  request(): string | null {
    return this.#text("request");
  }

  response(): string | null {
    return this.#text("response");
  }

  appendRows(rows: readonly JournalRow[]): void {
    for (const row of rows)
      this.#sql.exec(
        "INSERT INTO journal VALUES (?, ?, ?, ?)",
        row.first,
        row.count,
        row.usage === null ? null : JSON.stringify(row.usage),
        row.payload,
      );
  }

  /** The end and everything that it causes, in one transaction: the last rows, the bill, one outbox row an effect. */
  end(
    outcome: TurnOutcome,
    headers: Readonly<Record<string, string>>,
    rows: readonly JournalRow[],
    nowMs: number,
  ): Turn {
    this.#storage.transactionSync(() => {
      this.appendRows(rows);
      const refused = outcome.status === "refused";
      this.#sql.exec(
        "UPDATE turn SET status = ?, ended_ms = ?, response = ?, usage = ?, refusal = ?, headers = ?",
        outcome.status,
        nowMs,
        refused || outcome.response === null ? null : this.#texts.write("response", outcome.response),
        refused ? null : JSON.stringify({ ...outcome.usage, basis: outcome.basis }),
        refused ? JSON.stringify(outcome.refusal) : null,
        JSON.stringify(refused ? outcome.headers : headers),
      );
      for (const [id, effect] of outcome.effects.entries())
        this.#sql.exec(
          "INSERT INTO outbox VALUES (?, ?, 0, ?)",
          id,
          this.#texts.write(`effect ${id}`, JSON.stringify(effect)),
          nowMs,
        );
    });
    return this.#reload();
  }

  /** Rows from the one that holds event `from`, oldest first, until `maxUnits` of text are reached: one row at least, if any. */
  rowsFrom(from: number, maxUnits: number): JournalRow[] {
    const rows: JournalRow[] = [];
    if (!this.#hasJournal()) return rows;
    let units = 0;
    for (const row of this.#sql.exec<JournalRowRecord>(
      "SELECT * FROM journal WHERE first >= coalesce((SELECT max(first) FROM journal WHERE first <= ?), 0) ORDER BY first",
      from,
    )) {
      rows.push(journalRow(row));
      units += row.payload.length;
      if (units >= maxUnits) break;
    }
    return rows;
  }

  /** The number after the last event that is stored, and what was delivered by then. */
  journalEnd(): { readonly next: number; readonly usage: Usage | null } {
    if (!this.#hasJournal()) return { next: 0, usage: null };
    const [last] = this.#sql
      .exec<JournalRowRecord>("SELECT * FROM journal ORDER BY first DESC LIMIT 1")
      .toArray();
    if (last === undefined) return { next: 0, usage: null };
    return { next: last.first + last.count, usage: journalRow(last).usage };
  }

  outboxState(): OutboxState {
    const row = this.#sql
      .exec<{ pending: number; next: number | null }>(
        "SELECT count(*) AS pending, min(due_ms) AS next FROM outbox",
      )
      .one();
    return { pending: row.pending, nextDueMs: row.next };
  }

  dueEffects(nowMs: number): OutboxEntry[] {
    return this.#sql
      .exec<{ id: number; effect: string | null; attempts: number }>(
        "SELECT id, effect, attempts FROM outbox WHERE due_ms <= ? ORDER BY id",
        nowMs,
      )
      .toArray()
      .map(({ id, effect, attempts }) => {
        const text = this.#texts.read(`effect ${id}`, effect);
        if (text === null) throw new Error("an outbox row lost its effect");
        return { id, effect: JSON.parse(text) as Effect, attempts };
      });
  }

  acknowledge(id: number): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec("DELETE FROM outbox WHERE id = ?", id);
      this.#texts.drop(`effect ${id}`);
    });
  }

  postpone(id: number, attempts: number, dueMs: number): void {
    this.#sql.exec("UPDATE outbox SET attempts = ?, due_ms = ? WHERE id = ?", attempts, Math.ceil(dueMs), id);
  }

  /** Drops the journal and the request. Dropping the table is one row, deleting from it is billed by the row. */
  prune(): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec("DROP TABLE IF EXISTS journal");
      this.#texts.drop("request");
      this.#sql.exec("UPDATE turn SET pruned = 1, request = NULL");
    });
    this.#reload();
  }

  /** The turn stays at least until then, and its response with it. The journal goes when it would have gone. */
  keepUntil(untilMs: number): void {
    this.#sql.exec(
      "UPDATE turn SET retention_ms = max(retention_ms, ? - ended_ms) WHERE ended_ms IS NOT NULL",
      untilMs,
    );
    this.#reload();
  }

  /** The caller wants the turn gone: no content stays, and the rest goes with the last effect. */
  forget(): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec("DROP TABLE IF EXISTS journal");
      this.#texts.drop("request");
      this.#texts.drop("response");
      this.#sql.exec(
        "UPDATE turn SET pruned = 1, request = NULL, response = NULL, replay_ms = 0, retention_ms = 0",
      );
    });
    this.#reload();
  }

  /** Deletes everything. Nothing else may run until it is done: a claim in between would lose its tables. */
  async erase(): Promise<void> {
    this.#turn = null;
    await this.#storage.deleteAlarm();
    await this.#storage.deleteAll();
  }

  #text(column: "request" | "response"): string | null {
    if (this.#turn === null) return null;
    const row = this.#sql.exec<{ text: string | null }>(`SELECT ${column} AS text FROM turn`).one();
    return this.#texts.read(column, row.text);
  }

  #hasJournal(): boolean {
    return this.#turn !== null && !this.#turn.pruned;
  }

  #reload(): Turn {
    const turn = this.#load();
    if (turn === null) throw new Error("the turn's row is gone");
    this.#turn = turn;
    return turn;
  }

  #load(): Turn | null {
    if (this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'turn'").toArray().length === 0) return null;
    // Not the request and the response, which may be large.
    const [row] = this.#sql
      .exec<TurnRow>(
        `SELECT turn_id, schema_version, owner_tenant, owner_user, fingerprint, status, created_ms, ended_ms, pruned,
           interval_ms, replay_ms, retention_ms, deadline_ms, headers, refusal FROM turn`,
      )
      .toArray();
    if (row === undefined) return null;
    if (row.schema_version < schemaVersion)
      this.#storage.transactionSync(() => {
        for (const statement of migrations.slice(row.schema_version - 1)) this.#sql.exec(statement);
        this.#sql.exec("UPDATE turn SET schema_version = ?", schemaVersion);
      });
    return {
      turnId: row.turn_id,
      owner: { tenant: row.owner_tenant, user: row.owner_user },
      fingerprint: row.fingerprint,
      status: row.status as "running" | "refused" | EndStatus,
      createdMs: row.created_ms,
      endedMs: row.ended_ms,
      pruned: row.pruned === 1,
      intervalMs: row.interval_ms,
      replayMs: row.replay_ms,
      retentionMs: row.retention_ms,
      deadlineMs: row.deadline_ms,
      headers: row.headers === null ? null : (JSON.parse(row.headers) as Record<string, string>),
      refusal: row.refusal === null ? null : (JSON.parse(row.refusal) as Refusal),
    };
  }
}

function journalRow(row: JournalRowRecord): JournalRow {
  return {
    first: row.first,
    count: row.count,
    payload: row.payload,
    usage: row.usage === null ? null : (JSON.parse(row.usage) as Usage),
  };
}
