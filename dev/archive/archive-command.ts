/** The work of `npm run archive`: migrates, shows the archive's rows, and writes dead letters again. */
import { ArchiveStore } from "../../src/shared/archive/archive-store.ts";
import { faultOf, type Database, type Row } from "../../src/shared/archive/database.ts";
import { readArchiveMessage } from "../../src/shared/archive/message.ts";

export interface ListOptions {
  readonly tenant: string | null;
  readonly limit: number;
}

/** The latest turns, oldest first; of a conversation in the conversation's own order. */
export async function listTurns(database: Database, { tenant, limit }: ListOptions): Promise<string> {
  const { charges, contents } = await database.transaction(async (query) => ({
    charges: await query(
      `SELECT * FROM (
         SELECT * FROM charge WHERE $1::text IS NULL OR tenant = $1 ORDER BY created_ms DESC, charge_id DESC LIMIT $2
       ) AS latest ORDER BY conversation NULLS FIRST, sequence, created_ms, charge_id`,
      [tenant, limit],
    ),
    contents: await query(
      `SELECT content.charge_id, content.type, content.role, content.item, content.object_key FROM content
       WHERE charge_id IN (
         SELECT charge_id FROM charge WHERE $1::text IS NULL OR tenant = $1 ORDER BY created_ms DESC, charge_id DESC LIMIT $2)
       ORDER BY content.charge_id, position`,
      [tenant, limit],
    ),
  }));
  if (charges.length === 0) return "The archive is empty.";
  return charges
    .map((charge) => {
      const items = contents.filter(sameCharge(charge));
      return [chargeLine(charge, items.length > 0), ...items.map(itemLine)].join("\n");
    })
    .join("\n");
}

function sameCharge(charge: Row): (content: Row) => boolean {
  return (content) => content["charge_id"] === charge["charge_id"];
}

function chargeLine(row: Row, hasContent: boolean): string {
  const at = new Date(Number(row["created_ms"])).toISOString();
  const tokens = `${shown(row["prompt_tokens"])}+${shown(row["completion_tokens"])} tokens (${shown(row["cached_tokens"])} cached)`;
  const cost =
    row["microdollars"] === null ? "cost unknown" : `$${(Number(row["microdollars"]) / 1e6).toFixed(6)}`;
  const where =
    row["conversation"] === null
      ? ""
      : ` conversation ${shown(row["conversation"]).slice(0, 12)}… #${shown(row["sequence"])}`;
  // The ledger never changes: only the content rows show whether content was erased.
  const written = shown(row["content"]);
  const content = hasContent || written.startsWith("left-out") ? written : "erased";
  return (
    `${at} ${shown(row["tenant"])}/${shown(row["user_id"])} ${shown(row["way"])} ${shown(row["response_id"])} ` +
    `${shown(row["model"])} ${shown(row["status"])} ${tokens} ${cost}${where} content ${content}`
  );
}

function itemLine(row: Row): string {
  if (row["object_key"] !== null) return `    in the bucket: ${shown(row["object_key"])}`;
  const item = shown(row["item"]);
  return `    ${shown(row["role"] ?? row["type"])}: ${item.length > 200 ? `${item.slice(0, 200)}…` : item}`;
}

/** The database's value of a column with text or a number. */
function shown(value: unknown): string {
  return typeof value === "string" || typeof value === "number" || typeof value === "bigint"
    ? `${value}`
    : "–";
}

export async function listDeadLetters(database: Database): Promise<string> {
  const letters = await new ArchiveStore(database).deadLetters();
  if (letters.length === 0) return "No dead letters.";
  return letters.map(({ messageId, parkedAt, reason }) => `${parkedAt} ${messageId} ${reason}`).join("\n");
}

export interface Replayed {
  readonly written: number;
  /** Message id and reason of those that still can't be written. */
  readonly left: readonly string[];
}

/**
 * Writes dead letters again, each separately: after a migration that they waited for, or with newer code. Rows erased in the
 * meantime stay erased. Throws if the database fails.
 */
export async function replayDeadLetters(database: Database): Promise<Replayed> {
  const store = new ArchiveStore(database);
  const left: string[] = [];
  let written = 0;
  for (const { messageId, body } of await store.deadLetters()) {
    const fault = await replayOne(store, body);
    if (fault === null) {
      await store.forgetLetter(messageId);
      written += 1;
    } else left.push(`${messageId} ${fault}`);
  }
  return { written, left };
}

async function replayOne(store: ArchiveStore, body: unknown): Promise<string | null> {
  const read = readArchiveMessage(body);
  if (!read.ok) return `unreadable: ${read.error}`;
  try {
    if (read.value.kind === "turn") await store.writeTurns([read.value]);
    else await store.erase(read.value);
    return null;
  } catch (error) {
    if (faultOf(error) === "database") throw error;
    return error instanceof Error ? error.message : "thrown value";
  }
}
