import { ContentUnavailable, elsewhere, partsOf } from "../../src/shared/content/large-content.ts";

/**
 * Texts of any length where a value holds 2 MB: short ones stay in the turn's own value, long ones are cut into parts
 * under keys of their own, a row each. Most turns have none. If a text lies in the bucket (turn-content.ts), the first part says that it
 * does. That is not JSON, so older code fails at it.
 */
const maxInlineUnits = 90_000;

/** Where the bucket has a text. */
export interface TextPlace {
  readonly key: string;
  readonly units: number;
}

export class LongText {
  readonly #kv: SyncKvStorage;
  readonly #fetched = new Map<string, string>();

  constructor(kv: SyncKvStorage) {
    this.#kv = kv;
  }

  /** What goes into the turn's value: the text, or `null` after its parts were written under `name`. Call it in the transaction of the value. */
  write(name: string, text: string): string | null {
    if (text.length <= maxInlineUnits) return text;
    this.drop(name);
    let part = 0;
    for (const piece of partsOf(text)) {
      this.#kv.put(partKey(name, part), piece);
      part += 1;
    }
    return null;
  }

  /** `null` where neither the value nor parts hold one. Throws for one that lies elsewhere and was not fetched. */
  read(name: string, inline: string | null): string | null {
    if (inline !== null) return inline;
    const parts = [...this.#kv.list<string>({ prefix: prefix(name) })].map(([, text]) => text);
    if (parts.length === 0) return null;
    if (parts[0] !== elsewhere) return parts.join("");
    const fetched = this.#fetched.get(name);
    if (fetched === undefined) throw new ContentUnavailable("it was not fetched");
    return fetched;
  }

  /** Whether the text exists, wherever it lies. */
  has(name: string, inline: string | null): boolean {
    return inline !== null || this.#kv.get(partKey(name, 0)) !== undefined;
  }

  /** A text that lies in parts here, and nowhere else. */
  inParts(name: string): string | null {
    const first = this.#kv.get(partKey(name, 0));
    return first === undefined || first === elsewhere ? null : this.read(name, null);
  }

  placeOf(name: string): TextPlace | null {
    if (this.#kv.get(partKey(name, 0)) !== elsewhere) return null;
    return this.#kv.get<TextPlace>(placeKey(name)) ?? null;
  }

  /** The bucket has it: its parts are deleted. Call it in the transaction that marks it as held there. */
  moved(name: string, place: TextPlace): void {
    this.drop(name);
    this.#kv.put(partKey(name, 0), elsewhere);
    this.#kv.put(placeKey(name), place);
  }

  isFetched(name: string): boolean {
    return this.#fetched.has(name);
  }

  /** To be read as long as it lies there. */
  fetched(name: string, key: string, text: string): void {
    if (this.placeOf(name)?.key === key) this.#fetched.set(name, text);
  }

  drop(name: string): void {
    this.#fetched.delete(name);
    const keys = Array.from(this.#kv.list({ prefix: prefix(name) }), ([key]) => key);
    for (const key of keys) this.#kv.delete(key);
  }
}

function prefix(name: string): string {
  return `text/${name}/`;
}

function partKey(name: string, part: number): string {
  return `${prefix(name)}${String(part).padStart(4, "0")}`;
}

function placeKey(name: string): string {
  return `${prefix(name)}place`;
}
