/** `npm run archive -- migrate | list | bill | dead | replay | drop <message id> | erase`: the archive's database (docs/archive.md). */
import { parseArgs } from "node:util";
import { ArchiveStore } from "../src/shared/archive/archive-store.ts";
import type { Database } from "../src/shared/archive/database.ts";
import { archiveMessageVersion, type EraseMessage } from "../src/shared/archive/message.ts";
import { isTimeZone } from "../src/shared/limits/calendar.ts";
import { connect } from "../workers/archiver/postgres-database.ts";
import { asksHelp, endWith, exitCodes, isWrongUsage, UsageError } from "./commands/command-line.ts";
import { listDeadLetters, listTurns, replayDeadLetters } from "./archive/archive-command.ts";
import { type BillOptions, billOf, isBillGroup, monthAt } from "./archive/bill.ts";
import { archiveUrl } from "./archive/local-database.ts";
import { migrate } from "./archive/migrations.ts";

const usage = `usage: npm run archive -- migrate | list [--tenant <id>] [--limit <turns>] | dead | replay | drop <message id>
                            | bill --tenant <id> [--month 2026-11] [--time-zone Europe/Berlin] [--by day,org,user,key,tier,endpoint,model,price]
                            | erase --tenant <id> [--user <user> | --conversation <object> | --response <id>]
       in the database ARCHIVE_DATABASE_URL, or that of a running npm start -- --archive (ARCHIVE_PORT)`;

interface Answer {
  readonly text: string;
  readonly code: number;
}

async function run(database: Database, parameters: string[]): Promise<Answer> {
  const { values, positionals } = parseArgs({
    args: parameters,
    options: {
      tenant: { type: "string" },
      user: { type: "string" },
      conversation: { type: "string" },
      response: { type: "string" },
      limit: { type: "string", default: "20" },
      month: { type: "string" },
      "time-zone": { type: "string", default: "UTC" },
      by: { type: "string", default: "org,model" },
    },
    allowPositionals: true,
  });
  const [command, operand] = positionals;
  if (positionals.length !== (command === "drop" ? 2 : 1)) throw new UsageError();
  switch (command) {
    case "migrate": {
      const applied = await migrate(database);
      return {
        text: applied.length === 0 ? "The schema is up to date." : `applied ${applied.join(", ")}`,
        code: 0,
      };
    }
    case "list": {
      const limit = Number(values.limit);
      if (!Number.isInteger(limit) || limit < 1)
        throw new UsageError(`--limit ${values.limit}: is no number of turns`);
      return { text: await listTurns(database, { tenant: values.tenant ?? null, limit }), code: 0 };
    }
    case "bill":
      return { text: await billOf(database, billOptions(values)), code: 0 };
    case "dead":
      return { text: await listDeadLetters(database), code: 0 };
    case "replay": {
      const { written, left } = await replayDeadLetters(database);
      const lines = [`${written} written, ${left.length} left`, ...left];
      return { text: lines.join("\n"), code: left.length === 0 ? 0 : 1 };
    }
    case "drop": {
      const dropped = await new ArchiveStore(database).forgetLetter(operand ?? "");
      return dropped
        ? { text: `dropped ${operand}`, code: 0 }
        : { text: `There is no dead letter ${operand}.`, code: 1 };
    }
    case "erase": {
      const message = erasureOf(values);
      if (message === null) throw new UsageError();
      await new ArchiveStore(database).erase(message);
      return { text: `erased ${message.scope} ${message.key || message.tenant}; the ledger stays`, code: 0 };
    }
    default:
      throw new UsageError();
  }
}

/** Throws a `UsageError` for options that make no sense. */
function billOptions(values: {
  readonly tenant?: string | undefined;
  readonly month?: string | undefined;
  readonly "time-zone": string;
  readonly by: string;
}): BillOptions {
  const { tenant, "time-zone": timeZone } = values;
  if (tenant === undefined || tenant === "") throw new UsageError("--tenant: whose bill?");
  if (!isTimeZone(timeZone)) throw new UsageError(`--time-zone ${timeZone}: is no time zone`);
  const { month = monthAt(timeZone, Date.now()) } = values;
  if (!/^\d{4}-(?:0[1-9]|1[0-2])$/.test(month)) throw new UsageError(`--month ${month}: is no month`);
  const by = values.by === "" ? [] : values.by.split(",");
  const unknown = by.find((name) => !isBillGroup(name));
  if (unknown !== undefined) throw new UsageError(`--by ${unknown}: nothing is told apart by that`);
  return { tenant, month, timeZone, by: by.filter(isBillGroup) };
}

/** The single thing of one tenant to erase; `null`: none, or several. */
function erasureOf(values: {
  readonly tenant?: string | undefined;
  readonly user?: string | undefined;
  readonly conversation?: string | undefined;
  readonly response?: string | undefined;
}): EraseMessage | null {
  const { tenant } = values;
  const named = (["user", "conversation", "response"] as const).filter(
    (scope) => values[scope] !== undefined,
  );
  if (tenant === undefined || tenant === "" || named.length > 1) return null;
  const scope = named[0] ?? "tenant";
  const key = scope === "tenant" ? "" : (values[scope] ?? "");
  if (scope !== "tenant" && key === "") return null;
  return { v: archiveMessageVersion, kind: "erase", scope, tenant, key, beforeMs: Date.now() };
}

async function answer(parameters: string[]): Promise<Answer> {
  if (asksHelp(parameters)) return { text: usage, code: 0 };
  const connection = connect(archiveUrl());
  try {
    return await run(connection.database, parameters);
  } finally {
    await connection.end(1);
  }
}

/** Describes the fault, never the URL, which contains the password. */
function described(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? `${String(error.code)} ` : "";
  return `The archive's database: ${code}${message}${code.startsWith("42P01") ? " (npm run archive -- migrate)" : ""}`;
}

try {
  const { text, code } = await answer(process.argv.slice(2));
  console.log(text);
  process.exitCode = code;
} catch (error) {
  if (isWrongUsage(error)) endWith(error, usage);
  else {
    console.error(described(error));
    process.exitCode = exitCodes.failed;
  }
}
