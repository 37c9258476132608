/** What `npm start -- --archive` adds: a database (ARCHIVE_DATABASE_URL, or PGlite), its schema, and the archiver's configuration. */
import { connect } from "../../workers/archiver/postgres-database.ts";
import { localState } from "../local-secrets.ts";
import { demandFreePorts } from "../start/ports.ts";
import { archiverConfig } from "./archiver-config.ts";
import { archivePort, archivePortVariable, archiveUrl, startPglite } from "./local-database.ts";
import { migrate } from "./migrations.ts";

export interface RunningArchive {
  /** The archiver's configuration file for wrangler. */
  readonly config: string;
  readonly description: string;
  stop(): Promise<void>;
}

/** @param command what the user typed */
export async function startArchive(edgePort: number, command: string): Promise<RunningArchive> {
  const named = (process.env["ARCHIVE_DATABASE_URL"] ?? "") !== "";
  const port = archivePort();
  if (named) demandUsable(archiveUrl());
  if (!named && port === edgePort)
    throw new Error(`${archivePortVariable} and PORT are both ${port}. Set one of the two to another.`);
  if (!named) await demandFreePorts([{ port, variable: archivePortVariable }], command);
  const pglite = named ? null : await startPglite(port, `${localState()}/archive`);
  const url = archiveUrl();
  const connection = connect(url);
  try {
    await migrate(connection.database);
  } catch (error) {
    await pglite?.stop();
    throw new Error(
      `${named ? "ARCHIVE_DATABASE_URL" : "The archive's PGlite"}: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  } finally {
    await connection.end(1);
  }
  return {
    config: archiverConfig(url, edgePort),
    description: named ? "the database of ARCHIVE_DATABASE_URL" : `PGlite on port ${port}`,
    stop: async () => pglite?.stop(),
  };
}

/** Refuses URLs that wrangler's local Hyperdrive would reject with a stack trace. The URL is a secret and never shown. */
function demandUsable(text: string): void {
  const url = URL.parse(text);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol))
    throw new Error("ARCHIVE_DATABASE_URL is no postgres://user:password@host:port/database.");
  if (url.password === "" || url.username === "" || url.pathname.length < 2)
    throw new Error(
      "ARCHIVE_DATABASE_URL lacks a user, a password or a database; Hyperdrive needs all three.",
    );
}
