import { runInDurableObject } from "cloudflare:test";

/** Whether any table of an object's SQLite, those of full-text indexes among them, holds these words in any letter case. */
export async function holdsText<T extends Rpc.DurableObjectBranded>(
  stub: DurableObjectStub<T>,
  words: string,
): Promise<boolean> {
  return runInDurableObject(stub, (_instance, { storage }) => {
    const tables = storage.sql
      .exec<{ name: string; sql: string | null }>("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
      .toArray()
      // What it shows is in tables of its own.
      .filter(({ name, sql }) => !name.startsWith("_cf_") && !/^CREATE VIRTUAL/i.test(sql ?? ""));
    return tables.some(({ name }) =>
      storage.sql
        .exec(`SELECT * FROM "${name}"`)
        .toArray()
        .some((row) => Object.values(row).some((value) => textOf(value).includes(words.toLowerCase()))),
    );
  });
}

function textOf(value: unknown): string {
  return (
    value instanceof ArrayBuffer ? new TextDecoder("latin1").decode(value) : String(value)
  ).toLowerCase();
}
