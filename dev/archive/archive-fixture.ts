/** A migrated archive for a test file: tenants that no other test uses, and their rows. */
import { afterAll, beforeAll } from "vitest";
import type { Row } from "../../src/shared/archive/database.ts";
import { startTestDatabase, type TestDatabase } from "./test-database.ts";

export interface ArchiveUnderTest {
  readonly url: string;
  readonly database: TestDatabase["database"];
  /** @param statement refers to the tenant as $1 */
  rows(statement: string, tenant: string): Promise<readonly Row[]>;
  chargeIds(tenant: string): Promise<readonly unknown[]>;
  contentIds(tenant: string): Promise<readonly unknown[]>;
}

export function archiveUnderTest(): ArchiveUnderTest {
  let started: TestDatabase | null = null;
  const world = (): TestDatabase => {
    if (started === null) throw new Error("not before the tests have begun");
    return started;
  };
  beforeAll(async () => {
    started = await startTestDatabase();
  }, 180_000);
  afterAll(() => started?.stop());

  const rows = (statement: string, tenant: string) =>
    world().database.transaction((query) => query(statement, [tenant]));
  const ids = async (statement: string, tenant: string) =>
    (await rows(statement, tenant)).map((row) => row["charge_id"]);
  return {
    get url() {
      return world().url;
    },
    get database() {
      return world().database;
    },
    rows,
    chargeIds: (tenant) => ids("SELECT charge_id FROM charge WHERE tenant = $1 ORDER BY charge_id", tenant),
    contentIds: (tenant) =>
      ids("SELECT DISTINCT charge_id FROM content WHERE tenant = $1 ORDER BY charge_id", tenant),
  };
}

let tenants = 0;
export function newTenant(): string {
  tenants += 1;
  return `tenant-${tenants}`;
}
