/** An object's tables, which are made with its first write: an object that was only read must not create any. */
import { hasSchema, migrate, type VersionTable } from "./migrations.ts";
import type { SqlTransactions } from "./sql-port.ts";

export class LazyTables {
  readonly #storage: SqlTransactions;
  readonly #migrations: readonly string[];
  readonly #versionTable: VersionTable;
  #areMade: boolean;
  #mayBeUndone = false;

  /** Tables that are there already are brought to what this code knows. */
  constructor(
    storage: SqlTransactions,
    migrations: readonly string[],
    versionTable: VersionTable = "schema_version",
  ) {
    this.#storage = storage;
    this.#migrations = migrations;
    this.#versionTable = versionTable;
    this.#areMade = hasSchema(storage.sql, versionTable);
    if (this.#areMade) migrate(storage, migrations, versionTable);
  }

  /** `false`: nothing was ever written here, and nothing may be read. */
  get areMade(): boolean {
    if (this.#mayBeUndone) {
      this.#mayBeUndone = false;
      this.#areMade = hasSchema(this.#storage.sql, this.#versionTable);
    }
    return this.#areMade;
  }

  /** Before the first write. */
  make(): void {
    if (this.areMade) return;
    migrate(this.#storage, this.#migrations, this.#versionTable);
    this.#areMade = true;
    // This may run within a transaction, whose roll-back removes the tables again. No transaction lasts longer than this microtask.
    queueMicrotask(() => (this.#mayBeUndone = true));
  }

  /** The object's storage was deleted: the next write makes them anew. */
  wereDeleted(): void {
    this.#areMade = false;
    this.#mayBeUndone = false;
  }
}
