/**
 * The fast path of a stream: nearly every event of an answer is the one before with another piece of text (and, with
 * vLLM's continuous usage, other counts). A template is learned from an event that was parsed, proved by parsing it again
 * with other text in it, and then recognised by comparing strings. What does not match exactly is parsed as JSON: key
 * order, white space and escapes are never assumed.
 */
import { PlainEventBytes } from "./plain-event.ts";
import { mostCountDigits } from "./wire-usage.ts";
import { readEngineEvent, type EngineApi, type EngineDelta } from "./engine-event.ts";

/** Text that needs no unescaping: then the literal is the text. Control characters are illegal in JSON. */
const plainText = /^[^\\\u0000-\u001f]*$/;
/** From inside the usage object to the end of the event. One level of details; no strings with braces or escapes. */
const restOfUsage = /[^{}\\]*(?:\{[^{}\\]*\}[^{}\\]*)*\}\}$/y;
const usageStart = ',"usage":{';
const completionTokens = '"completion_tokens":';
const probe = "\u{1F50D}probe";
/** Events of another shape than the template's, after which learning is given up: it would cost more than it saves. */
const maxLessons = 4;

export class EventTemplate {
  readonly #api: EngineApi;
  #lessons = 0;
  #head = "";
  #tail = "";
  #hasUsage = false;
  #quote = 0;
  #bytes: PlainEventBytes | null = null;

  constructor(api: EngineApi) {
    this.#api = api;
  }

  /** The learned event in bytes; `null`: none was learned. */
  get bytes(): PlainEventBytes | null {
    return this.#bytes;
  }

  /** Whether `data` is the learned event with other text for choice 0. The getters then read from it. */
  matches(data: string): boolean {
    if (this.#head === "" || !data.startsWith(this.#head)) return false;
    const quote = data.indexOf('"', this.#head.length);
    this.#quote = quote;
    if (quote === -1 || !data.startsWith(this.#tail, quote)) return false;
    const end = quote + this.#tail.length;
    if (this.#hasUsage) {
      restOfUsage.lastIndex = end;
      if (!restOfUsage.test(data)) return false;
    } else if (end !== data.length) return false;
    return plainText.test(data.slice(this.#head.length, quote));
  }

  /** The text of the event that just matched. It holds no character that JSON escapes. */
  text(data: string): string {
    return data.slice(this.#head.length, this.#quote);
  }

  /** Its `usage.completion_tokens`; -1 where it has none. */
  completionTokens(data: string): number {
    if (!this.#hasUsage) return -1;
    let at = data.indexOf(completionTokens, this.#quote);
    if (at === -1) return -1;
    let value = 0;
    at += completionTokens.length;
    let digit = data.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit <= 9)) return -1;
    const first = at;
    while (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digit = data.charCodeAt(++at) - 48;
    }
    return at - first > mostCountDigits ? -1 : value;
  }

  /** Offers an event that was parsed, with the only delta in it. */
  learn(data: string, delta: EngineDelta): void {
    if (this.#lessons >= maxLessons || !isPlain(delta)) return;
    const marker = this.#api === "chat" ? '"delta":{"content":"' : '"text":"';
    const at = data.indexOf(marker);
    if (at === -1) return;
    const from = at + marker.length;
    const quote = data.indexOf('"', from);
    if (quote === -1 || !plainText.test(data.slice(from, quote))) return;
    this.#lessons++;
    const usage = data.indexOf(usageStart, quote);
    this.#head = data.slice(0, from);
    this.#hasUsage = usage !== -1;
    this.#tail = usage === -1 ? data.slice(quote) : data.slice(quote, usage + usageStart.length);
    const other = this.#head + probe + data.slice(quote);
    const proof = readEngineEvent(other, this.#api);
    const proven = proof.kind === "chunk" && proof.deltas.length === 1 ? proof.deltas[0] : undefined;
    const matched = this.matches(other) && this.matches(data);
    if (!matched || proven?.content !== probe || !isPlain(proven)) this.#head = "";
    this.#bytes =
      this.#head === "" ? null : new PlainEventBytes(`data: ${this.#head}`, `${data.slice(quote)}\n\n`);
  }
}

/** Text of the first choice and nothing else. */
function isPlain(delta: EngineDelta): boolean {
  return delta.index === 0 && typeof delta.content === "string" && Object.keys(delta).length === 2;
}
