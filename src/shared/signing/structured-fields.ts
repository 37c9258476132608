/**
 * The part of Structured Fields (RFC 8941) that signatures use: a dictionary whose members are inner lists of strings, or
 * byte sequences, each with parameters. Strict where the RFC lets the last of two win: two of one name are refused, since
 * another reader might take the other.
 */
export type BareItem =
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "token"; readonly value: string }
  | { readonly type: "integer"; readonly value: number }
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "bytes"; readonly value: Uint8Array<ArrayBuffer> };

/** In the order in which they stood: it is part of what is signed. */
export type Parameters = ReadonlyMap<string, BareItem>;

export interface Item {
  readonly value: BareItem;
  readonly parameters: Parameters;
}

export type Member =
  | (Item & { readonly kind: "item" })
  | { readonly kind: "list"; readonly items: readonly Item[]; readonly parameters: Parameters };

export type Dictionary = ReadonlyMap<string, Member>;

/** Beyond these a field is hostile, not long. */
export const fieldBounds = { characters: 8192, members: 8, items: 32, parameters: 16 } as const;

/** Null for anything that is no such dictionary, or is out of bounds. */
export function parseDictionary(text: string): Dictionary | null {
  if (text.length > fieldBounds.characters) return null;
  const reader = new Reader(text.trim());
  try {
    return reader.dictionary();
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

class Malformed extends Error {}

const keyPattern = /[a-z*][a-z0-9_.*-]*/y;
const tokenPattern = /[A-Za-z*][\w!#$%&'*+.^`|~:/-]*/y;
const integerPattern = /-?\d{1,15}(?![\d.])/y;
const stringPattern = /"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y;
const bytesPattern = /:([A-Za-z0-9+/]*={0,2}):/y;
const blanks = /[ \t]*/y;
const spaces = / */y;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  dictionary(): Dictionary {
    const members = new Map<string, Member>();
    while (this.#at < this.#text.length) {
      const key = this.#take(keyPattern);
      if (members.has(key) || members.size >= fieldBounds.members) throw new Malformed();
      members.set(key, this.#member());
      this.#take(blanks);
      if (this.#at === this.#text.length) return members;
      this.#expect(",");
      this.#take(blanks);
      // A comma promises another member.
      if (this.#at === this.#text.length) throw new Malformed();
    }
    return members;
  }

  #member(): Member {
    if (!this.#skips("="))
      return { kind: "item", value: { type: "boolean", value: true }, parameters: this.#parameters() };
    if (this.#text[this.#at] !== "(")
      return { kind: "item", value: this.#bareItem(), parameters: this.#parameters() };
    this.#at += 1;
    const items: Item[] = [];
    for (;;) {
      this.#take(spaces);
      if (this.#skips(")")) return { kind: "list", items, parameters: this.#parameters() };
      if (items.length >= fieldBounds.items) throw new Malformed();
      items.push({ value: this.#bareItem(), parameters: this.#parameters() });
      const next = this.#text[this.#at];
      if (next !== " " && next !== ")") throw new Malformed();
    }
  }

  #parameters(): Parameters {
    const parameters = new Map<string, BareItem>();
    while (this.#skips(";")) {
      this.#take(spaces);
      const key = this.#take(keyPattern);
      if (parameters.has(key) || parameters.size >= fieldBounds.parameters) throw new Malformed();
      parameters.set(key, this.#skips("=") ? this.#bareItem() : { type: "boolean", value: true });
    }
    return parameters;
  }

  #bareItem(): BareItem {
    const first = this.#text[this.#at] ?? "";
    if (first === '"')
      return {
        type: "string",
        value: this.#take(stringPattern)
          .slice(1, -1)
          .replace(/\\(["\\])/g, "$1"),
      };
    if (first === ":") return { type: "bytes", value: decodeBase64(this.#take(bytesPattern).slice(1, -1)) };
    if (first === "?") {
      this.#at += 1;
      if (this.#skips("1")) return { type: "boolean", value: true };
      this.#expect("0");
      return { type: "boolean", value: false };
    }
    if (first === "-" || (first >= "0" && first <= "9"))
      return { type: "integer", value: Number(this.#take(integerPattern)) };
    return { type: "token", value: this.#take(tokenPattern) };
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) throw new Malformed();
    this.#at += found[0].length;
    return found[0];
  }

  #skips(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #expect(character: string): void {
    if (!this.#skips(character)) throw new Malformed();
  }
}

/** An inner list of strings, as it stands in `Signature-Input` and in the last line of a signature base. */
export function serializeList(items: readonly Item[], parameters: Parameters): string {
  return `(${items.map(serializeItem).join(" ")})${serializeParameters(parameters)}`;
}

export function serializeItem({ value, parameters }: Item): string {
  return serializeBareItem(value) + serializeParameters(parameters);
}

function serializeBareItem(item: BareItem): string {
  switch (item.type) {
    case "string":
      return `"${item.value.replace(/["\\]/g, "\\$&")}"`;
    case "token":
      return item.value;
    case "integer":
      return String(item.value);
    case "boolean":
      return item.value ? "?1" : "?0";
    case "bytes":
      return `:${encodeBase64(item.value)}:`;
  }
}

function serializeParameters(parameters: Parameters): string {
  let text = "";
  for (const [key, value] of parameters)
    text += value.type === "boolean" && value.value ? `;${key}` : `;${key}=${serializeBareItem(value)}`;
  return text;
}

export function encodeBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new Malformed();
  }
  // One spelling for one value: stray bits at the end, or left-out padding, would make many.
  if (btoa(binary) !== text) throw new Malformed();
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
