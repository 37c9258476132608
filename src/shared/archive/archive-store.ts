/**
 * The archive's tables (workers/archiver/migrations): what is written for turns and erasures, in whatever order they arrive and however
 * often. Only SQL and its transactions.
 *
 * A row of content and its erasure can't miss each other: writing content locks the erasures against new ones (SHARE), and an erasure is
 * written before content is deleted. Table locks, since Hyperdrive offers no advisory ones.
 */
import type { Database, Query, Row } from "./database.ts";
import { isRecord } from "../wire/is-record.ts";
import type { EraseMessage, TurnMessage } from "./message.ts";

/** A message that no try could write. */
export interface DeadLetter {
  readonly messageId: string;
  readonly reason: string;
  readonly body: unknown;
}

export class ArchiveStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** All of them in one transaction of a few statements, or a throw. Turns that are there already stay as they are. */
  async writeTurns(turns: readonly TurnMessage[]): Promise<void> {
    const charges = JSON.stringify(turns.map(chargeRow));
    const content = turns.flatMap(contentRows);
    await this.#database.transaction(async (query) => {
      await query(insertCharges, [charges]);
      if (content.length === 0) return;
      await query("LOCK TABLE erasure IN SHARE MODE");
      const rows = JSON.stringify(content);
      await query(insertContent, [rows]);
      await query(dropLateObjects, [rows]);
    });
  }

  /** Deletes content by key, and remembers it for content that is still on its way. The ledger stays. */
  async erase({ tenant, scope, key, beforeMs }: EraseMessage): Promise<void> {
    await this.#database.transaction(async (query) => {
      await query(
        `INSERT INTO erasure (tenant, scope, key, before_ms) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant, scope, key) DO UPDATE SET before_ms = greatest(erasure.before_ms, excluded.before_ms)`,
        [tenant, scope, key, beforeMs],
      );
      const { where, parameters } = erasedRows(tenant, scope, key);
      const bounds = `${where} AND created_ms <= $${parameters.length + 1}`;
      const bound = [...parameters, beforeMs];
      await query(
        `INSERT INTO object_erasure SELECT DISTINCT object_key FROM content WHERE ${bounds} AND object_key IS NOT NULL ORDER BY object_key ${notedAnew}`,
        bound,
      );
      await query(`DELETE FROM content WHERE ${bounds}`, bound);
      // When a dead letter's turn began is not known for sure: its content goes in any case, its charge stays.
      const letters = await query(
        `SELECT tenant, content FROM dead_letter WHERE ${where} AND content IS NOT NULL`,
        parameters,
      );
      await query(`UPDATE dead_letter SET content = NULL WHERE ${where}`, parameters);
      await dropObjects(query, letters);
    });
  }

  /** Objects of the bucket whose rows are gone. */
  async erasedObjects(limit: number): Promise<readonly ErasedObject[]> {
    const rows = await this.#database.transaction((query) =>
      query("SELECT object_key, xmin::text AS note FROM object_erasure ORDER BY object_key LIMIT $1", [
        limit,
      ]),
    );
    return rows.map((row) => ({ key: String(row["object_key"]), note: String(row["note"]) }));
  }

  /** They are deleted. One that was noted anew meanwhile stays noted: it may have been put again behind its deletion. */
  async forgetObjects(objects: readonly ErasedObject[]): Promise<void> {
    await this.#database.transaction((query) =>
      query(
        `DELETE FROM object_erasure USING json_to_recordset($1::text::json) AS gone (key text, note text)
         WHERE object_key = gone.key AND object_erasure.xmin::text = gone.note`,
        [JSON.stringify(objects)],
      ),
    );
  }

  /** Keeps what can't be written. Its content lies apart, so that it can be erased like any other. */
  async park(letter: DeadLetter): Promise<void> {
    await this.#database.transaction(async (query) => {
      await query("LOCK TABLE erasure IN SHARE MODE");
      await parkLetter(query, letter);
    });
  }

  async deadLetters(): Promise<readonly (DeadLetter & { readonly parkedAt: string })[]> {
    const rows = await this.#database.transaction((query) =>
      query(
        "SELECT message_id, reason, body, content, parked_at::text FROM dead_letter ORDER BY parked_at, message_id",
      ),
    );
    return rows.map((row) => ({
      messageId: String(row["message_id"]),
      reason: String(row["reason"]),
      parkedAt: String(row["parked_at"]),
      body: withContent(String(row["body"]), row["content"]),
    }));
  }

  /** With what it has in the bucket, unless it was written meanwhile. `false`: there is none of this name. */
  async forgetLetter(messageId: string): Promise<boolean> {
    return this.#database.transaction(async (query) => {
      const gone = await query("DELETE FROM dead_letter WHERE message_id = $1 RETURNING tenant, content", [
        messageId,
      ]);
      await dropObjects(query, gone);
      return gone.length > 0;
    });
  }
}

export interface ErasedObject {
  readonly key: string;
  /** Which note of it this is: the transaction that wrote the row. */
  readonly note: string;
}

/** The row is written anew, so that it is another note than the one that somebody may be carrying out. In the order of keys: two who write many wait for each other, and not both. */
const notedAnew = "ON CONFLICT (object_key) DO UPDATE SET object_key = excluded.object_key";

/** One parameter for all rows: no limit on their number, and nothing to quote. */
const insertCharges = `
  INSERT INTO charge (charge_id, tenant, org, user_id, tier, key_id, way, endpoint, response_id, conversation, sequence,
    status, model, cluster, attempts, prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, basis,
    microdollars, price_version, price_input, price_output, screened, guarded, content, created_ms, ended_ms,
    price_cached_input)
  SELECT * FROM json_to_recordset($1::text::json) AS row (charge_id text, tenant text, org text, user_id text, tier text,
    key_id text, way text, endpoint text, response_id text, conversation text, sequence bigint, status text, model text,
    cluster text, attempts integer, prompt_tokens bigint, completion_tokens bigint, cached_tokens bigint,
    reasoning_tokens bigint, basis text, microdollars bigint, price_version text, price_input double precision,
    price_output double precision, screened text, guarded text, content text, created_ms bigint, ended_ms bigint,
    price_cached_input double precision)
  ON CONFLICT DO NOTHING`;

const contentColumns = `charge_id, position, tenant, user_id, conversation, response_id, sequence, created_ms, type, role,
  item, object_key`;
const contentTypes = `charge_id text, position integer, tenant text, user_id text, conversation text, response_id text,
  sequence bigint, created_ms bigint, type text, role text, item text, object_key text`;

const insertContent = `
  INSERT INTO content (${contentColumns})
  SELECT ${contentColumns} FROM json_to_recordset($1::text::json) AS row (${contentTypes})
  WHERE NOT EXISTS (
    SELECT 1 FROM erasure WHERE erasure.tenant = row.tenant AND row.created_ms <= erasure.before_ms AND (
      (scope = 'tenant' AND key = '') OR (scope = 'user' AND key = row.user_id) OR
      (scope = 'conversation' AND key = row.conversation) OR (scope = 'response' AND key = row.response_id)))
  ON CONFLICT DO NOTHING`;

/** An object that came after its erasure has no row, and is not wanted. */
const dropLateObjects = `
  INSERT INTO object_erasure
  SELECT DISTINCT object_key FROM json_to_recordset($1::text::json) AS row (object_key text)
  WHERE object_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM content WHERE content.object_key = row.object_key)
  ORDER BY object_key ${notedAnew}`;

function chargeRow(turn: TurnMessage): object {
  return {
    charge_id: turn.chargeId,
    tenant: turn.tenant,
    org: turn.org,
    user_id: turn.user,
    tier: turn.tier,
    key_id: turn.keyId,
    way: turn.way,
    endpoint: turn.endpoint,
    response_id: turn.responseId,
    conversation: turn.conversation,
    sequence: turn.sequence,
    status: turn.status,
    model: turn.model,
    cluster: turn.cluster,
    attempts: turn.attempts,
    prompt_tokens: turn.promptTokens,
    completion_tokens: turn.completionTokens,
    cached_tokens: turn.cachedTokens,
    reasoning_tokens: turn.reasoningTokens,
    basis: turn.basis,
    microdollars: turn.microdollars,
    price_version: turn.price?.version ?? null,
    price_input: turn.price?.input ?? null,
    price_output: turn.price?.output ?? null,
    screened: turn.screened,
    guarded: turn.guarded,
    content: turn.content.kind === "left-out" ? `left-out:${turn.content.reason}` : turn.content.kind,
    created_ms: turn.createdMs,
    ended_ms: turn.endedMs,
    price_cached_input: turn.price?.cached_input ?? null,
  };
}

function contentRows(turn: TurnMessage): readonly object[] {
  const { content } = turn;
  const base = {
    charge_id: turn.chargeId,
    tenant: turn.tenant,
    user_id: turn.user,
    conversation: turn.conversation,
    response_id: turn.responseId,
    sequence: turn.sequence,
    created_ms: turn.createdMs,
  };
  switch (content.kind) {
    case "left-out":
      return [];
    case "object":
      return [{ ...base, position: 0, type: null, role: null, item: null, object_key: content.key }];
    case "inline":
      return content.items.map(({ type, role, json }, position) => ({
        ...base,
        position,
        type,
        role,
        item: json,
        object_key: null,
      }));
  }
}

function erasedRows(tenant: string, scope: EraseMessage["scope"], key: string) {
  switch (scope) {
    case "tenant":
      return { where: "tenant = $1", parameters: [tenant] };
    case "user":
      return { where: "tenant = $1 AND user_id = $2", parameters: [tenant, key] };
    case "conversation":
      return { where: "tenant = $1 AND conversation = $2", parameters: [tenant, key] };
    case "response":
      return { where: "tenant = $1 AND response_id = $2", parameters: [tenant, key] };
  }
}

async function parkLetter(query: Query, { messageId, reason, body }: DeadLetter): Promise<void> {
  const parts = isRecord(body) ? body : {};
  const { content, ...rest } = parts;
  const keys = [parts["tenant"], parts["user"], parts["conversation"], parts["responseId"]].map(keyText);
  const erased = await query(
    `SELECT 1 FROM erasure WHERE tenant = $1 AND ((scope = 'tenant' AND key = '') OR (scope = 'user' AND key = $2) OR
       (scope = 'conversation' AND key = $3) OR (scope = 'response' AND key = $4)) LIMIT 1`,
    keys,
  );
  const kept = content === undefined ? null : JSON.stringify(content);
  if (erased.length > 0) await dropObjects(query, [{ tenant: keys[0], content: kept }]);
  await query(
    `INSERT INTO dead_letter (message_id, reason, body, content, tenant, user_id, conversation, response_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
    [
      messageId,
      reason,
      JSON.stringify(isRecord(body) ? rest : body) ?? "null",
      erased.length > 0 ? null : kept,
      ...keys,
    ],
  );
}

/** Objects of dead letters whose content goes: their keys stand nowhere else. */
async function dropObjects(query: Query, letters: readonly Row[]): Promise<void> {
  const rows = letters.flatMap(({ tenant, content }) => {
    const key = typeof content === "string" ? objectKeyIn(content) : null;
    // What could not be read may say anything: never another tenant's object.
    return key?.startsWith(`archive/${String(tenant)}/`) === true ? [{ object_key: key }] : [];
  });
  if (rows.length > 0) await query(dropLateObjects, [JSON.stringify(rows)]);
}

function objectKeyIn(content: string): string | null {
  const value: unknown = JSON.parse(content);
  return isRecord(value) && value["kind"] === "object" ? keyText(value["key"]) : null;
}

/** A message's whole body. Content that was erased meanwhile is left out. */
function withContent(body: string, content: unknown): unknown {
  const value: unknown = JSON.parse(body);
  if (!isRecord(value) || value["kind"] !== "turn") return value;
  return {
    ...value,
    content:
      typeof content === "string" ? (JSON.parse(content) as unknown) : { kind: "left-out", reason: "none" },
  };
}

/** PostgreSQL's text holds no NUL. */
function keyText(value: unknown): string | null {
  return typeof value === "string" && !value.includes("\0") ? value : null;
}
