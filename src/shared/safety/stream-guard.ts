import {
  atClass,
  classOf,
  digitClass,
  hyphenClass,
  isWordClass,
  letterClass,
  otherClass,
} from "./character-classes.ts";
import { matchCard, matchSignedCard } from "./detectors/card.ts";
import { localStart, matchDomain, mostLocalCharacters } from "./detectors/email.ts";
import { matchIban } from "./detectors/iban.ts";
import { beginsKey, type KeyMatch, matchKey, noKeyMatch } from "./detectors/keys.ts";
import { more, none } from "./detectors/outcome.ts";
import { matchPrivateKey } from "./detectors/private-key.ts";
import { masks } from "./masks.ts";
import { MeantText } from "./meant-text.ts";
import { isClosed, type OpenSpan, readTail, tailOf } from "./open-span.ts";
import { readsOtherwise } from "./plain-character.ts";
import type { ResolvedPolicy } from "./safety-policy.ts";
import { behindDecimalPoint, insideDigits, outside, placeBehind, type ScanPlace } from "./scan-place.ts";
import type { Span, SpanKind } from "./span.ts";
import type { GuardStep } from "./guard-step.ts";

const point = 0x2e;

const nothing: readonly Span[] = [];

/**
 * Does this text contain something that must not pass, and how much of it may be sent already? One pass, left to right, whether the text
 * comes whole or in pieces: the verdict is the same, since a detector that would have to read beyond the text at hand says so
 * (detectors/outcome.ts), and the scan then waits where it stands.
 *
 * What is kept back is what could still become part of a span: the word that is being written (it may turn out to be the local part of an
 * e-mail address) and a candidate that is still growing, 48 characters and seldom that. Three things are longer: an address's local part
 * (64), its domain behind the `@` (255), both only while not a single blank has come; and keys and private keys, which are known by their
 * first 48 and 53 characters and whose rest is dropped as it comes. Under a policy that only flags, nothing is kept back.
 *
 * What a text means is scanned (meant-text.ts): what JSON's escapes stand for, digits of any script, and nothing of what is not shown. It is
 * masked as a whole with how it is written.
 */
export class StreamGuard {
  readonly #actions: ResolvedPolicy["actions"];
  readonly #withholds: boolean;
  /** `null`: so far all of it is written as it is meant. */
  #meant: MeantText | null;
  /** Text that is not settled, and its place in the whole. */
  #buffer = "";
  #base = 0;
  /** In the buffer: up to where it has been scanned, released, and where the run of local characters began. */
  #at = 0;
  #released = 0;
  #runStart = 0;
  #inside: ScanPlace = outside;
  #open: OpenSpan | null = null;
  #blocked = false;
  /** Of the step that is being made. */
  #out = "";
  #spans: Span[] | null = null;
  readonly #key: KeyMatch;

  /** @param isJson its escapes stand for what they mean; else they say what they say */
  constructor(policy: ResolvedPolicy, isJson: boolean) {
    this.#actions = policy.actions;
    this.#withholds = policy.withholds;
    this.#meant = isJson ? new MeantText(true) : null;
    this.#key = noKeyMatch();
  }

  /** Characters that came in and have neither gone on nor been masked. */
  get held(): number {
    if (!this.#withholds) return 0;
    const held = this.#placeOf(this.#buffer.length) - this.#placeOf(this.#released);
    return held + (this.#meant?.begun ?? 0);
  }

  push(text: string): GuardStep {
    return this.#step(text, false);
  }

  flush(): GuardStep {
    return this.#step("", true);
  }

  #step(text: string, final: boolean): GuardStep {
    if (this.#blocked) return { release: "", spans: nothing, blocked: true };
    this.#out = "";
    this.#spans = null;
    if (this.#meant === null && readsOtherwise.test(text))
      this.#meant = new MeantText(false, this.#base + this.#buffer.length);
    const meaning = this.#meant === null ? text : this.#meant.read(text, final);
    this.#buffer = this.#buffer === "" ? meaning : this.#buffer + meaning;
    if (this.#open === null || this.#continueOpen(this.#open, final)) this.#scan(final);
    return {
      release: this.#withholds ? this.#out : text,
      spans: this.#spans ?? nothing,
      blocked: this.#blocked,
    };
  }

  #scan(final: boolean): void {
    const text = this.#buffer;
    const { length } = text;
    const actions = this.#actions;
    let at = this.#at;
    let runStart = this.#runStart;
    let inside = this.#inside;
    let waits = false;
    while (at < length) {
      const code = text.charCodeAt(at);
      const kind = classOf(code);
      if (kind === otherClass) {
        at += 1;
        runStart = at;
        inside = outside;
        continue;
      }
      let end = none;
      let start = at;
      let found: SpanKind = "email";
      let source = "pattern:email";
      if (isWordClass(kind)) {
        if (inside === outside || inside === behindDecimalPoint) {
          if (kind === digitClass) {
            if (actions["payment-card"] !== "off" && inside === outside)
              end = matchCard(text, at, length, final);
            found = "payment-card";
            source = "pattern:card-luhn";
          } else if (kind === letterClass) {
            if (beginsKey[code] === true) {
              matchKey(text, at, length, final, this.#key);
              const { rule } = this.#key;
              if (this.#key.end !== none && actions[rule.kind] !== "off") {
                end = this.#key.end;
                found = rule.kind;
                source = `pattern:${rule.name}`;
              }
            }
            if (end === none && actions.iban !== "off") {
              end = matchIban(text, at, length, final);
              found = "iban";
              source = "pattern:iban-mod97";
            }
          }
        }
        if (end === none) {
          at += 1;
          while (at < length && isWordClass(classOf(text.charCodeAt(at)))) at += 1;
          inside = placeBehind(text, at);
          continue;
        }
      } else if (kind === hyphenClass) {
        if (actions["private-key"] !== "off") end = matchPrivateKey(text, at, length, final);
        found = "private-key";
        source = "pattern:pem";
        if (end === none && actions["payment-card"] !== "off" && this.#isBare(at)) {
          end = matchSignedCard(text, at, length, final);
          found = "payment-card";
          source = "pattern:card-luhn";
        }
      } else if (kind === atClass && actions.email !== "off") {
        start = localStart(text, runStart, at);
        if (start < at) end = matchDomain(text, at, length, final);
      }
      if (end === more) {
        waits = true;
        break;
      }
      if (end === none) {
        inside = code === point && inside === insideDigits ? behindDecimalPoint : outside;
        at += 1;
        if (kind === atClass) runStart = at;
        continue;
      }
      const tail = tailOf(found, this.#key.rule, this.#isBare(start));
      at = this.#take(start, end, found, source, tail, final);
      if (this.#blocked || this.#open !== null) return;
      runStart = at;
      inside = placeBehind(text, at);
    }
    this.#runStart = runStart;
    this.#inside = inside;
    this.#keep(at, waits, final);
  }

  /** A span was recognised. Returns where the scan goes on; after it, the guard may be blocked or the span open. */
  #take(
    start: number,
    end: number,
    kind: SpanKind,
    source: string,
    tail: OpenSpan["tail"] | null,
    final: boolean,
  ): number {
    const action = this.#actions[kind];
    if (action === "off") throw new Error(`a detector that is off found ${kind}`);
    const text = this.#buffer;
    const open = { start: this.#placeOf(start), kind, source, action };
    if (action === "block") {
      // What it was recognised by is enough: where it would end can't matter any more.
      this.#out += this.#written(this.#released, start);
      this.#addSpan({ ...open, end: this.#placeOf(end) });
      this.#blocked = true;
      this.#buffer = "";
      return end;
    }
    let until = end;
    if (tail !== null) {
      until = readTail(tail, text, end, text.length);
      if (!final && until === text.length && !isClosed(tail)) {
        this.#mask(open.action, start, until, kind);
        this.#open = { ...open, tail };
        this.#drop(until);
        return until;
      }
    }
    this.#addSpan({ ...open, end: this.#placeOf(until) });
    this.#mask(open.action, start, until, kind);
    return until;
  }

  /** Goes on in a span that began in an earlier piece. True: it is closed and the scan goes on behind it. */
  #continueOpen(open: OpenSpan, final: boolean): boolean {
    const text = this.#buffer;
    const until = readTail(open.tail, text, 0, text.length);
    const ends = final || until < text.length || isClosed(open.tail);
    if (open.action === "mask") this.#released = until;
    if (!ends) {
      this.#drop(until);
      return false;
    }
    this.#addSpan({
      start: open.start,
      end: this.#placeOf(until),
      kind: open.kind,
      source: open.source,
      action: open.action,
    });
    this.#open = null;
    this.#at = until;
    this.#runStart = until;
    if (until > 0) this.#inside = placeBehind(text, until);
    return true;
  }

  #mask(action: Span["action"], start: number, until: number, kind: SpanKind): void {
    if (action !== "mask") return;
    const mask = this.#isBare(start) ? `"${masks[kind]}"` : masks[kind];
    this.#out += this.#written(this.#released, start) + mask;
    this.#released = until;
  }

  /** Outside of JSON's strings, where a number must not lose its end alone. */
  #isBare(at: number): boolean {
    return this.#meant?.isBare(this.#base + at) === true;
  }

  #addSpan(span: Span): void {
    if (this.#spans === null) this.#spans = [span];
    else this.#spans.push(span);
  }

  /** Releases what is settled and keeps the rest. */
  #keep(at: number, waits: boolean, final: boolean): void {
    const { length } = this.#buffer;
    let hold = at;
    if (final) hold = length;
    else if (this.#actions.email !== "off")
      hold = Math.min(waits ? at : length, Math.max(this.#runStart, at - mostLocalCharacters));
    const until = this.#withholds ? hold : length;
    if (until > this.#released) {
      this.#out += this.#written(this.#released, until);
      this.#released = until;
    }
    this.#at = at;
    if (hold > 0) this.#cut(hold);
  }

  /** Everything up to `until` belongs to an open span; what is not masked goes on. */
  #drop(until: number): void {
    if (until > this.#released) this.#out += this.#written(this.#released, until);
    this.#released = until;
    this.#at = until;
    this.#runStart = until;
    if (until === 0) return;
    this.#inside = placeBehind(this.#buffer, until);
    this.#cut(until);
  }

  /** What of the buffer goes on, as it came in. */
  #written(from: number, to: number): string {
    if (this.#meant !== null) return this.#meant.written(this.#buffer, this.#base, from, to);
    return from === 0 && to === this.#buffer.length ? this.#buffer : this.#buffer.slice(from, to);
  }

  /** The place in the text as it came in. */
  #placeOf(at: number): number {
    return this.#meant === null ? this.#base + at : this.#meant.writtenBefore(this.#base + at);
  }

  #cut(places: number): void {
    this.#buffer = this.#buffer.slice(places);
    this.#base += places;
    this.#meant?.forget(this.#base);
    this.#at -= places;
    this.#released = Math.max(0, this.#released - places);
    this.#runStart = Math.max(0, this.#runStart - places);
  }
}
