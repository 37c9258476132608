/** The archive's database on this machine: ARCHIVE_DATABASE_URL, or PGlite (PostgreSQL in WebAssembly, in this process). */
import { mkdirSync } from "node:fs";
import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { portFrom } from "../start/ports.ts";

export const archivePortVariable = "ARCHIVE_PORT";

export function archivePort(): number {
  return portFrom(archivePortVariable, 8790);
}

/** The database of `npm run archive`: PGlite of `npm start -- --archive` unless another is named. */
export function archiveUrl(): string {
  const named = process.env["ARCHIVE_DATABASE_URL"];
  return named === undefined || named === "" ? pgliteUrl(archivePort()) : named;
}

/** PGlite has one user and no password, and listens only on this machine. */
function pgliteUrl(port: number): string {
  return `postgres://postgres:postgres@127.0.0.1:${port}/postgres?sslmode=disable`;
}

export interface LocalDatabase {
  readonly url: string;
  stop(): Promise<void>;
}

/** @param folder where it keeps its files; absent: in memory, for tests */
export async function startPglite(port: number, folder?: string): Promise<LocalDatabase> {
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  const db = folder === undefined ? await PGlite.create() : await PGlite.create(folder);
  const server = new PGLiteSocketServer({ db, port, host: "127.0.0.1", maxConnections: 20 });
  await server.start();
  return {
    url: pgliteUrl(port),
    async stop() {
      await server.stop();
      await db.close();
    },
  };
}
