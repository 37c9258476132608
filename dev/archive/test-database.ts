/**
 * A migrated archive of its own for a test file: PGlite through its socket and postgres.js, as `npm start -- --archive` has
 * it; or a schema of its own in the PostgreSQL that ARCHIVE_TEST_DATABASE_URL names.
 */
import { randomBytes } from "node:crypto";
import type { Database } from "../../src/shared/archive/database.ts";
import { freePort } from "../start/free-ports.ts";
import { connect } from "../../workers/archiver/postgres-database.ts";
import { startPglite } from "./local-database.ts";
import { migrate } from "./migrations.ts";

export interface TestDatabase {
  readonly url: string;
  readonly database: Database;
  stop(): Promise<void>;
}

export async function startTestDatabase(): Promise<TestDatabase> {
  const real = process.env["ARCHIVE_TEST_DATABASE_URL"];
  const server =
    real === undefined || real === "" ? await startPglite(await freePort()) : await ownSchema(real);
  const connection = connect(server.url);
  await migrate(connection.database);
  return {
    url: server.url,
    database: connection.database,
    async stop() {
      await connection.end(1);
      await server.stop();
    },
  };
}

async function ownSchema(url: string) {
  const name = `archive_test_${randomBytes(6).toString("hex")}`;
  const admin = connect(url);
  await admin.database.transaction((query) => query(`CREATE SCHEMA ${name}`));
  const own = new URL(url);
  own.searchParams.set("search_path", name);
  return {
    url: own.href,
    async stop() {
      await admin.database.transaction((query) => query(`DROP SCHEMA ${name} CASCADE`));
      await admin.end(1);
    },
  };
}
