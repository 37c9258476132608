import type { TokenFamily } from "../catalog.ts";

/**
 * How does text become tokens? Deterministic and without a vocabulary: Llama 3's pre-tokenizer with long words cut, so
 * that counts are near a real model's. Control tokens are recognised everywhere, also inside a user's text, exactly
 * as in a real tokenizer: so tests notice whether the edge neutralised them.
 */
export interface Encoded {
  readonly ids: readonly number[];
  /** How often each control token occurs; undefined: none does. */
  readonly controls: Readonly<Record<string, number>> | undefined;
}

export interface Tokenizer {
  readonly bos: string | undefined;
  readonly eos: string;
  encode(text: string): Encoded;
  /** Text of the ids, control tokens included; undefined when an id is not in the vocabulary seen so far. */
  decode(ids: readonly number[]): string | undefined;
  /** The text without control tokens in the pieces that a model streams, one for each token. */
  pieces(text: string): string[];
  controlId(text: string): number | undefined;
}

/** The first id of ordinary tokens; control tokens have the ids of the published tokenizers. */
const firstOrdinaryId = 1 << 18;
export const vocabularySize = firstOrdinaryId + 2 ** 30;
/** The most pieces remembered for decoding; then the oldest is forgotten. */
const maxRemembered = 500_000;

const ordinary =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]|'(?:s|t|re|ve|m|ll|d)(?!\p{L})|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]{1,12}|\p{N}{1,3}| ?[^\s\p{L}\p{N}]{1,4}[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s/giuy;

const reserved = /<\|reserved_special_token_\d{1,3}\|>/;
const controlTables: Record<TokenFamily, ReadonlyMap<string, number>> = {
  llama: new Map([
    ["<|begin_of_text|>", 128000],
    ["<|end_of_text|>", 128001],
    ["<|finetune_right_pad_id|>", 128004],
    ["<|start_header_id|>", 128006],
    ["<|end_header_id|>", 128007],
    ["<|eom_id|>", 128008],
    ["<|eot_id|>", 128009],
    ["<|python_tag|>", 128010],
    ["<|image|>", 128256],
  ]),
  qwen: new Map([
    ["<|endoftext|>", 151643],
    ["<|im_start|>", 151644],
    ["<|im_end|>", 151645],
    ["<|vision_start|>", 151652],
    ["<|vision_end|>", 151653],
    ["<|image_pad|>", 151655],
  ]),
};

class RegexTokenizer implements Tokenizer {
  readonly bos: string | undefined;
  readonly eos: string;
  readonly #controls: ReadonlyMap<string, number>;
  readonly #control: RegExp;
  readonly #remembered = new Map<number, string>();

  constructor(family: TokenFamily) {
    this.bos = family === "llama" ? "<|begin_of_text|>" : undefined;
    this.eos = family === "llama" ? "<|eot_id|>" : "<|im_end|>";
    this.#controls = controlTables[family];
    const names = [...this.#controls.keys()].map((name) => name.replaceAll("|", String.raw`\|`));
    if (family === "llama") names.push(reserved.source);
    this.#control = new RegExp(`(${names.join("|")})`, "u");
  }

  encode(text: string): Encoded {
    const ids: number[] = [];
    if (!text.includes("<|")) {
      encodeOrdinary(text, ids);
      return { ids, controls: undefined };
    }
    const controls: Record<string, number> = {};
    let found = false;
    // With one capture group, every odd element is a control token.
    for (const [index, part] of text.split(this.#control).entries()) {
      if (index % 2 === 0) encodeOrdinary(part, ids);
      else {
        found = true;
        controls[part] = (controls[part] ?? 0) + 1;
        ids.push(this.controlId(part) ?? 0);
      }
    }
    return { ids, controls: found ? controls : undefined };
  }

  decode(ids: readonly number[]): string | undefined {
    let text = "";
    for (const id of ids) {
      const piece = this.#remembered.get(id) ?? this.#controlText(id);
      if (piece === undefined) return undefined;
      text += piece;
    }
    return text;
  }

  pieces(text: string): string[] {
    const clean = text.includes("<|") ? text.replaceAll(new RegExp(this.#control, "gu"), "") : text;
    return splitOrdinary(clean);
  }

  controlId(text: string): number | undefined {
    const number = reserved.test(text) ? Number(/\d+/.exec(text)?.[0]) : undefined;
    if (number !== undefined) return number < 2 ? 128002 + number : number === 2 ? 128005 : 128008 + number;
    return this.#controls.get(text);
  }

  /** The ids of the text, remembered so that `decode` can restore it. Only for `/tokenize`, so that the hot path does not pay. */
  encodeRemembering(text: string): Encoded {
    for (const piece of this.pieces(text)) {
      const id = hashOf(piece, 0, piece.length);
      if (!this.#remembered.has(id) && this.#remembered.size >= maxRemembered) {
        const oldest = this.#remembered.keys().next();
        if (!oldest.done) this.#remembered.delete(oldest.value);
      }
      this.#remembered.set(id, piece);
    }
    return this.encode(text);
  }

  #controlText(id: number): string | undefined {
    for (const [text, known] of this.#controls) if (known === id) return text;
    return undefined;
  }
}

const tokenizers = { llama: new RegexTokenizer("llama"), qwen: new RegexTokenizer("qwen") };

export function tokenizerOf(family: TokenFamily): RegexTokenizer {
  return tokenizers[family];
}

function encodeOrdinary(text: string, ids: number[]): void {
  ordinary.lastIndex = 0;
  let start = 0;
  while (start < text.length) {
    // The alternatives cover every character but lone surrogates, which count as one token each.
    const end = ordinary.test(text) ? ordinary.lastIndex : start + 1;
    ordinary.lastIndex = end;
    ids.push(hashOf(text, start, end));
    start = end;
  }
}

function splitOrdinary(text: string): string[] {
  const pieces: string[] = [];
  ordinary.lastIndex = 0;
  let start = 0;
  while (start < text.length) {
    const end = ordinary.test(text) ? ordinary.lastIndex : start + 1;
    ordinary.lastIndex = end;
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

/** FNV-1a over UTF-16 units, folded to 30 bits above the control tokens. */
function hashOf(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return firstOrdinaryId + ((hash ^ (hash >>> 30)) & 0x3fffffff);
}
