import { partsOf } from "../../src/shared/content/large-content.ts";

/**
 * Texts of any length where a value holds 2 MB: short ones stay in the turn's own value, long ones are cut into parts
 * under keys of their own, a row each. Most turns have none.
 */
const maxInlineUnits = 90_000;

export class LongText {
  readonly #kv: SyncKvStorage;

  constructor(kv: SyncKvStorage) {
    this.#kv = kv;
  }

  /** What goes into the turn's value: the text, or `null` after its parts were written under `name`. Call it in the transaction of the value. */
  write(name: string, text: string): string | null {
    if (text.length <= maxInlineUnits) return text;
    this.drop(name);
    let part = 0;
    for (const piece of partsOf(text)) {
      this.#kv.put(`${prefix(name)}${String(part).padStart(4, "0")}`, piece);
      part += 1;
    }
    return null;
  }

  /** `null` where neither the value nor parts hold one. */
  read(name: string, inline: string | null): string | null {
    if (inline !== null) return inline;
    const parts = [...this.#kv.list<string>({ prefix: prefix(name) })].map(([, text]) => text);
    return parts.length === 0 ? null : parts.join("");
  }

  drop(name: string): void {
    const keys = Array.from(this.#kv.list({ prefix: prefix(name) }), ([key]) => key);
    for (const key of keys) this.#kv.delete(key);
  }
}

function prefix(name: string): string {
  return `text/${name}/`;
}
