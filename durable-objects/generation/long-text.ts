/**
 * Texts of any length where a value holds 2 MB: short ones stay in the turn's own value, long ones are cut into parts
 * under keys of their own, a row each. Most turns have none.
 */
const maxInlineUnits = 90_000;
const partUnits = 600_000;

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
    for (let at = 0; at < text.length; part += 1) {
      let end = Math.min(at + partUnits, text.length);
      // A surrogate pair is not cut in two: half of one is no text.
      if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end -= 1;
      this.#kv.put(`${prefix(name)}${String(part).padStart(4, "0")}`, text.slice(at, end));
      at = end;
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
