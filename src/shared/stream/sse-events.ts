/**
 * Which events has an engine's SSE stream brought so far? Takes bytes cut anywhere (inside a UTF-8 sequence, between CR
 * and LF) and gives the `data` of each complete event, in order. Knows nothing of what the data means.
 *
 * WHATWG HTML, section 9.2.6: lines end in LF, CR or CRLF; `data` lines of one event are joined by LF; one space after
 * the colon is dropped; comments and unknown fields are skipped; an event without its blank line is no event.
 */

/** Longer unfinished events than this are no chat chunk but a broken or hostile engine: memory stays bounded. */
const maxEventCharacters = 4 * 1024 * 1024;

export class SseEvents {
  readonly #decoder = new TextDecoder("utf-8");
  #text = "";
  #at = 0;
  #skipLineFeed = false;
  /** Bytes behind the last blank line, before which no event ends. It grows by doubling, and is read once: not with each line of an event. */
  #begun = new Uint8Array(0);
  #begunBytes = 0;
  /** What `feed` had last. */
  #lastByte = 0;

  /** Nothing was fed that is still to come out. */
  get idle(): boolean {
    return this.#at === this.#text.length && this.#begunBytes === 0;
  }

  /** `false`: the unfinished event is too long, and nothing more is taken. */
  feed(bytes: Uint8Array): boolean {
    const before = this.#lastByte;
    this.#lastByte = bytes.at(-1) ?? before;
    if (!hasBlankLine(bytes, before)) {
      this.#append(bytes);
      return this.#text.length - this.#at + this.#begunBytes <= maxEventCharacters;
    }
    const begun =
      this.#begunBytes === 0
        ? ""
        : this.#decoder.decode(this.#begun.subarray(0, this.#begunBytes), streaming);
    this.#begunBytes = 0;
    let fresh = begun + this.#decoder.decode(bytes, streaming);
    if (this.#skipLineFeed && fresh !== "") {
      if (fresh.startsWith("\n")) fresh = fresh.slice(1);
      this.#skipLineFeed = false;
    }
    if (fresh.includes("\r")) {
      this.#skipLineFeed = fresh.endsWith("\r");
      fresh = fresh.replace(/\r\n?/g, "\n");
    }
    this.#text = this.#at === this.#text.length ? fresh : this.#text.slice(this.#at) + fresh;
    this.#at = 0;
    const { length } = this.#text;
    return length <= maxEventCharacters || length - this.#text.lastIndexOf("\n\n") <= maxEventCharacters;
  }

  #append(bytes: Uint8Array): void {
    const at = this.#begunBytes;
    this.#begunBytes += bytes.length;
    if (this.#begunBytes > this.#begun.length) {
      const larger = new Uint8Array(2 * this.#begunBytes);
      larger.set(this.#begun.subarray(0, at));
      this.#begun = larger;
    }
    this.#begun.set(bytes, at);
  }

  /** The next complete event's data, or `undefined` until more bytes come. */
  next(): string | undefined {
    const text = this.#text;
    for (;;) {
      const lineEnd = text.indexOf("\n", this.#at);
      if (lineEnd === -1) return undefined;
      if (lineEnd === this.#at) {
        this.#at++;
        continue;
      }
      if (lineEnd + 1 === text.length) return undefined;
      let end = lineEnd;
      if (text.charCodeAt(lineEnd + 1) !== lineFeed) {
        end = text.indexOf("\n\n", lineEnd);
        if (end === -1) return undefined;
      }
      const start = this.#at;
      this.#at = end + 2;
      if (end === lineEnd && text.startsWith("data: ", start)) return text.slice(start + 6, end);
      const data = dataOf(text.slice(start, end));
      if (data !== undefined) return data;
    }
  }
}

const streaming = { stream: true };
const lineFeed = 10;
const carriageReturn = 13;

/** Whether a line ends where one has just ended, in any of the three ways. @param before the byte in front of these */
function hasBlankLine(bytes: Uint8Array, before: number): boolean {
  const behind = (at: number): number | undefined => (at === 0 ? before : bytes[at - 1]);
  for (let at = bytes.indexOf(lineFeed); at !== -1; at = bytes.indexOf(lineFeed, at + 1))
    if (behind(at) === lineFeed) return true;
  for (let at = bytes.indexOf(carriageReturn); at !== -1; at = bytes.indexOf(carriageReturn, at + 1)) {
    const last = behind(at);
    // Behind a carriage return a line feed belongs to it: CRLF is one end.
    if (last === lineFeed || last === carriageReturn) return true;
  }
  return false;
}

function dataOf(event: string): string | undefined {
  let data: string | undefined;
  for (const line of event.split("\n")) {
    if (line !== "data" && !line.startsWith("data:")) continue;
    const value = line.startsWith("data: ") ? line.slice(6) : line.slice(5);
    data = data === undefined ? value : `${data}\n${value}`;
  }
  return data;
}
