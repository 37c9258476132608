/** What text does a file hold, and how is it cut? Text, Markdown, HTML, JSON, CSV and code; anything else is a named reason. */
import { err, ok, type Result } from "../contracts/result.ts";
import { csvText } from "./csv-text.ts";
import { declaredCharset } from "./declared-charset.ts";
import { decodeText, searchable, type FileReason } from "./decode-text.ts";
import { htmlText } from "./html-text.ts";
import type { TextKind } from "./text-atoms.ts";

export interface FileToRead {
  readonly bytes: Uint8Array;
  readonly filename: string;
  /** As its sender named it, parameters and all; empty or `application/octet-stream`: the name alone decides. */
  readonly mediaType: string;
}

export interface ExtractedText {
  readonly text: string;
  readonly kind: TextKind;
  /** Where each of its pages begins, ascending. Absent: it has none. */
  readonly pageStarts?: readonly number[];
}

type Format = "plain" | "markdown" | "html" | "json" | "csv" | "tsv";

const formatsByEnding: Readonly<Record<string, Format>> = {
  md: "markdown",
  markdown: "markdown",
  mdx: "markdown",
  htm: "html",
  html: "html",
  xhtml: "html",
  json: "json",
  csv: "csv",
  tsv: "tsv",
  txt: "plain",
};

const formatsByType: Readonly<Record<string, Format>> = {
  "text/markdown": "markdown",
  "text/x-markdown": "markdown",
  "text/html": "html",
  "application/xhtml+xml": "html",
  "application/json": "json",
  "text/csv": "csv",
  "text/tab-separated-values": "tsv",
};

/** A sender that says so of what is text as well. */
const silentTypes = new Set(["", "application/octet-stream", "binary/octet-stream"]);
const textTypes =
  /^(?:text\/.+|application\/(?:(?:x-)?(?:javascript|typescript|ecmascript|sh|shellscript|python(?:-code)?|ruby|perl|php|httpd-php|tex|latex|yaml|toml|sql|ndjson|jsonl(?:ines)?|json|xml|csh)|[\w.+-]+\+(?:json|xml|yaml)))$/;

/** Of files that are text. @param readsDocuments whether documents are read, elsewhere (ports.ts): what is said of others names them */
export function extractText(file: FileToRead, readsDocuments = false): Result<ExtractedText, FileReason> {
  const format = formatOf(file, readsDocuments);
  if (!format.ok) return format;
  const declared = declaredCharset(file.bytes, format.value === "html");
  const decoded = decodeText(file.bytes, charsetOf(file.mediaType), readsDocuments, declared);
  if (!decoded.ok) return decoded;
  const text = decoded.value;
  switch (format.value) {
    case "html":
      return ok({ text: htmlText(text), kind: "markdown" });
    case "markdown":
      return ok({ text, kind: "markdown" });
    case "json":
      return ok({ text: withLines(text), kind: "plain" });
    case "csv":
      return ok({ text: csvText(text), kind: "plain" });
    case "tsv":
      return ok({ text: csvText(text, "\t"), kind: "plain" });
    case "plain":
      return ok({ text, kind: "plain" });
  }
}

/** By its ending. What says more than the media type is believed: clients send `text/plain`, or `application/pdf`, for nearly everything. */
export function isNamedText(filename: string): boolean {
  return formatByEnding(filename) !== null;
}

function formatByEnding(filename: string): Format | null {
  const ending = /\.([a-z\d]{1,8})$/i.exec(filename)?.[1]?.toLowerCase() ?? "";
  return Object.hasOwn(formatsByEnding, ending) ? (formatsByEnding[ending] ?? null) : null;
}

function formatOf({ filename, mediaType }: FileToRead, readsDocuments: boolean): Result<Format, FileReason> {
  const named = formatByEnding(filename);
  if (named !== null) return ok(named);
  const type = (mediaType.split(";", 1)[0] ?? "").trim().toLowerCase();
  if (Object.hasOwn(formatsByType, type)) return ok(formatsByType[type] ?? "plain");
  // Of code and configuration there are more endings than any list has: whether it is text is seen when it is decoded.
  if (silentTypes.has(type) || textTypes.test(type)) return ok("plain");
  return err({
    code: "unsupported_file",
    message: `Files of this media type can't be read; ${searchable(readsDocuments)} can.`,
  });
}

function charsetOf(mediaType: string): string | null {
  return /;\s*charset\s*=\s*"?([\w.:-]{1,40})/i.exec(mediaType)?.[1] ?? null;
}

/** JSON that was written without line ends gets one behind each comma, or there would be no place to cut it. */
function withLines(json: string): string {
  const usualLine = 400;
  let lines = 1;
  for (let at = json.indexOf("\n"); at !== -1; at = json.indexOf("\n", at + 1)) lines += 1;
  if (json.length / lines < usualLine) return json;
  const pieces: string[] = [];
  let from = 0;
  let inString = false;
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (inString) {
      if (code === 0x5c) at += 1;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x2c) {
      pieces.push(json.slice(from, at + 1));
      from = at + 1;
    }
  }
  pieces.push(json.slice(from));
  return pieces.join("\n");
}
