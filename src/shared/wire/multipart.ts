/**
 * Reads a `multipart/form-data` body (RFC 7578) as it arrives, part by part, each in pieces; `Request.formData()` would keep all of it in
 * memory. It does not know what the parts mean.
 *
 * | bound | why |
 * | --- | --- |
 * | 70 characters of boundary | RFC 2046, section 5.1.1 |
 * | 8 KiB of one part's headers | a header without an end would be kept whole |
 * | `maxBytes` of the whole body | the text before the first boundary has no other bound |
 *
 * It keeps only one read and one part's headers.
 */
export interface PartHead {
  readonly name: string;
  /** Absent: a plain field. */
  readonly filename?: string;
  readonly mediaType: string;
}

export type NextPart =
  | { readonly kind: "part"; readonly head: PartHead }
  | { readonly kind: "end" }
  | { readonly kind: "malformed"; readonly fault: string };

const maxHeaderBytes = 8192;
const cr = 13;
const lf = 10;
const dash = 45;

/** The boundary in a content type; `null`: it is not a form, or has none. */
export function boundaryOf(contentType: string): string | null {
  const match =
    /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70})(?=[\s;]|$))/i.exec(
      contentType,
    );
  return match?.[1] ?? match?.[2] ?? null;
}

export class MultipartReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #delimiter: Uint8Array;
  readonly #maxBytes: number;
  #bytes = 0;
  /** The first delimiter has no line before it; this stands for that line's end. */
  #held: Uint8Array = Uint8Array.of(cr, lf);
  #state: "body" | "delimited" | "end" | "malformed" = "body";

  constructor(body: ReadableStream<Uint8Array>, boundary: string, maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#reader = body.getReader();
    this.#delimiter = new TextEncoder().encode(`\r\n--${boundary}`);
  }

  /** Skips the rest of the part before. Rejects if the body breaks off. */
  async next(): Promise<NextPart> {
    while (this.#state === "body") await this.read();
    if (this.#state === "malformed")
      return { kind: "malformed", fault: "ends before its last boundary, or is too long" };
    if (this.#state === "end") return { kind: "end" };
    if (!(await this.#hold(2))) return this.#malformed("ends within a boundary");
    if (this.#held[0] === dash && this.#held[1] === dash) {
      this.#state = "end";
      return { kind: "end" };
    }
    const headers = await this.#headers();
    if (headers === null) return this.#malformed("holds headers of a part that do not end within 8 KiB");
    const head = parseHead(headers);
    if (head === null) return this.#malformed("holds a part without a name");
    this.#state = "body";
    return { kind: "part", head };
  }

  /** The next piece of this part; `null`: it is over. */
  async read(): Promise<Uint8Array | null> {
    while (this.#state === "body") {
      const at = this.#findDelimiter();
      if (at === 0) {
        this.#held = this.#held.subarray(this.#delimiter.byteLength);
        this.#state = "delimited";
        return null;
      }
      // Keeps what may be the beginning of a delimiter.
      const safe = at === -1 ? this.#held.byteLength - this.#delimiter.byteLength + 1 : at;
      if (safe > 0) {
        const piece = this.#held.subarray(0, safe);
        this.#held = this.#held.subarray(safe);
        return piece;
      }
      if (!(await this.#fill())) this.#state = "malformed";
    }
    return null;
  }

  /** Stops reading. */
  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }

  #malformed(fault: string): NextPart {
    this.#state = "malformed";
    return { kind: "malformed", fault };
  }

  #findDelimiter(): number {
    const { byteLength } = this.#delimiter;
    for (let at = this.#held.indexOf(cr); at !== -1; at = this.#held.indexOf(cr, at + 1)) {
      if (at + byteLength > this.#held.byteLength) return -1;
      if (this.#delimiter.every((byte, index) => this.#held[at + index] === byte)) return at;
    }
    return -1;
  }

  /** The lines between a boundary and the next empty line, as text. */
  async #headers(): Promise<string | null> {
    let end = -1;
    let searched = 0;
    for (;;) {
      end = indexOfBlankLine(this.#held, searched);
      if (end !== -1) break;
      if (this.#held.byteLength > maxHeaderBytes) return null;
      searched = Math.max(0, this.#held.byteLength - 3);
      if (!(await this.#fill())) return null;
    }
    const text = new TextDecoder().decode(this.#held.subarray(0, end));
    this.#held = this.#held.subarray(end + 4);
    return text;
  }

  async #hold(bytes: number): Promise<boolean> {
    while (this.#held.byteLength < bytes) if (!(await this.#fill())) return false;
    return true;
  }

  async #fill(): Promise<boolean> {
    // Bytes read so far are still returned, so that a caller that counts a part's bytes notices if the part is too long.
    if (this.#bytes > this.#maxBytes) return false;
    const { done, value } = await this.#reader.read();
    if (done) return false;
    this.#bytes += value.byteLength;
    if (this.#held.byteLength === 0) {
      this.#held = value;
      return true;
    }
    const longer = new Uint8Array(this.#held.byteLength + value.byteLength);
    longer.set(this.#held);
    longer.set(value, this.#held.byteLength);
    this.#held = longer;
    return true;
  }
}

/** Where `\r\n\r\n` begins; `-1`: nowhere. */
function indexOfBlankLine(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(cr, from); at !== -1; at = bytes.indexOf(cr, at + 1))
    if (bytes[at + 1] === lf && bytes[at + 2] === cr && bytes[at + 3] === lf) return at;
  return -1;
}

function parseHead(headers: string): PartHead | null {
  let name: string | undefined;
  let filename: string | undefined;
  let mediaType = "";
  for (const line of headers.split("\r\n")) {
    const colon = line.indexOf(":");
    const field = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (field === "content-type") mediaType = value;
    if (field !== "content-disposition" || !/^form-data\s*(?:;|$)/i.test(value)) continue;
    const parameters = parametersOf(value.slice("form-data".length));
    name = parameters.get("name");
    filename = extendedText(parameters.get("filename*")) ?? parameters.get("filename");
  }
  if (name === undefined) return null;
  return { name, mediaType, ...(filename === undefined ? {} : { filename }) };
}

/**
 * Reads `; name="…"` one after another, so that quoted text is never taken for a parameter; the first of a name counts. Browsers and clients
 * write a quote, a carriage return and a line feed as `%22`, `%0D` and `%0A` (RFC 7578, section 4.2, and the HTML standard), others escape with a
 * backslash; nothing else is decoded.
 */
function parametersOf(text: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const [, name = "", quoted, plain] of text.matchAll(
    /\s*;\s*([^\s=;"]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/gy,
  )) {
    const value = quoted?.replaceAll(/\\(["\\])/g, "$1") ?? plain ?? "";
    if (!parameters.has(name.toLowerCase()))
      parameters.set(
        name.toLowerCase(),
        value.replaceAll(/%(22|0D|0A)/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
      );
  }
  return parameters;
}

/** Decodes `filename*=UTF-8''…` (RFC 5987), which some clients send against the standard. */
function extendedText(value: string | undefined): string | undefined {
  const match = /^utf-8'[^']*'(.+)$/i.exec(value ?? "");
  if (match?.[1] === undefined) return undefined;
  try {
    return decodeURIComponent(match[1]);
  } catch {
    // Not valid, so the plain name counts.
    return undefined;
  }
}
