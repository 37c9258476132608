/** The tables of an object that belongs to one user: its first write makes them and notes the owner. */
import type { Owner } from "../../src/shared/contracts/owner.ts";
import { LazyTables } from "./lazy-tables.ts";
import { ownerRow } from "./owner-row.ts";

export class OwnedTables {
  readonly sql: SqlStorage;
  readonly #storage: DurableObjectStorage;
  readonly #tables: LazyTables;

  /** @param migrations the first of which makes the table `owner` of owner-row.ts */
  constructor(storage: DurableObjectStorage, migrations: readonly string[]) {
    this.sql = storage.sql;
    this.#storage = storage;
    this.#tables = new LazyTables(storage, migrations);
  }

  /** `false`: nothing was ever written here, and nothing may be read. */
  get areMade(): boolean {
    return this.#tables.areMade;
  }

  /** `null`: it has no owner yet. */
  owner(): Owner | null {
    return this.#tables.areMade ? ownerRow(this.sql) : null;
  }

  /** In one transaction with it: the first of them makes the tables and notes the owner. */
  write(owner: Owner, change: () => void): void {
    this.#tables.make();
    this.#storage.transactionSync(() => {
      this.sql.exec("INSERT OR IGNORE INTO owner VALUES (1, ?, ?)", owner.tenant, owner.user);
      change();
    });
  }

  /** Deletes everything, the alarm as well. Nothing else may run until it is done. */
  async erase(): Promise<void> {
    await this.#storage.deleteAll();
    this.#tables.wereDeleted();
  }
}
