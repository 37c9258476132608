/**
 * Brings the archive's schema up to date: the SQL files of workers/archiver/migrations, in the order of their names, each once
 * and in one transaction. Files are only added, never edited: a changed file is refused.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { Database } from "../../src/shared/archive/database.ts";
import { root } from "../local-secrets.ts";

export interface Migration {
  readonly name: string;
  readonly text: string;
}

export function archiveMigrations(folder = `${root}workers/archiver/migrations`): readonly Migration[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .map((name) => ({ name, text: readFileSync(`${folder}/${name}`, "utf8") }));
}

/** Returns the names of the files applied now. Two concurrent runs apply each file once. */
export async function migrate(
  database: Database,
  migrations: readonly Migration[] = archiveMigrations(),
): Promise<readonly string[]> {
  await database.transaction((query) =>
    query(
      "CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, hash text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
    ),
  );
  const applied: string[] = [];
  for (const { name, text } of migrations) {
    const hash = createHash("sha256").update(text).digest("hex");
    const isNew = await database.transaction(async (query) => {
      await query("LOCK TABLE migration IN EXCLUSIVE MODE");
      const [known] = await query("SELECT hash FROM migration WHERE name = $1", [name]);
      if (known !== undefined) {
        if (known["hash"] !== hash)
          throw new Error(`${name} was changed after it was applied: add a new file instead`);
        return false;
      }
      await query(text);
      await query("INSERT INTO migration (name, hash) VALUES ($1, $2)", [name, hash]);
      return true;
    });
    if (isNew) applied.push(name);
  }
  return applied;
}
