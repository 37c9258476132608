/**
 * Does a URL mean one thing to everyone who reads it? Router, log, cache and firewall read the same text; a path that is
 * decoded twice, climbs by dots or holds a NUL reads differently in each, so it is refused, never repaired.
 */
import { requestLimits } from "../wire/request-limits.ts";

export interface RequestTarget {
  /** As it was sent. */
  readonly path: string;
  /** Without its question mark; empty where there is none. */
  readonly query: string;
}

/** The path and query of an absolute URL, without parsing it: parsing repairs what must be seen. */
export function targetOf(url: string): RequestTarget {
  const scheme = url.indexOf("://");
  const start = url.indexOf("/", scheme + 3);
  if (start < 0) return { path: "/", query: "" };
  const question = url.indexOf("?", start);
  if (question < 0) return { path: url.slice(start), query: "" };
  return { path: url.slice(start, question), query: url.slice(question + 1) };
}

export type TargetFault =
  | { readonly kind: "url-too-long"; readonly maxCharacters: number }
  | { readonly kind: "url-invalid"; readonly detail: string };

const tooLong: TargetFault = { kind: "url-too-long", maxCharacters: requestLimits.urlCharacters };

/** Words, dashes and dots inside of words: nothing that could be read in two ways. */
const plainPath = /^(?:\/[\w-][\w.-]*)*\/?$/;
const plainQuery = /^[\w\-.~=&:/,+@]*$/;
/** Ids that may hold a slash of their own, as `meta-llama/Llama-3.1-8B` does; clients encode it. */
const mayHoldSlash = /^\/v1\/models\//;
/**
 * A conversation's name is its owner's own text (`support/42`, `CORP\ann`, `50%2B`), and must be reached to be deleted. The router
 * splits a path before it decodes, once, and nobody else reads the name: of it, only dots that climb read in two ways.
 */
const ownName = /^\/v1\/conversations\/[^/]+/;

export function targetFault({ path, query }: RequestTarget): TargetFault | null {
  if (path.length + query.length > requestLimits.urlCharacters) return tooLong;
  if (!plainPath.test(path)) {
    const detail = pathFault(path);
    if (detail !== null) return { kind: "url-invalid", detail };
  }
  // A query is data: only what no reader agrees on is refused.
  if (query === "" || plainQuery.test(query) || !/\0|%00/.test(query)) return null;
  return { kind: "url-invalid", detail: "a NUL in the query" };
}

function pathFault(path: string): string | null {
  if (/%(?![0-9a-f]{2})/i.test(path)) return "a percent sign without its two digits";
  if (/%(?:[01][0-9a-f]|7f)/i.test(path) || /[\u0000-\u001f\u007f]/.test(path)) return "a control character";
  const common = path.replace(ownName, "/v1/conversations");
  if (path.includes("\\") || /%5c/i.test(common)) return "a backslash in the path";
  if (/%2f/i.test(common) && !mayHoldSlash.test(path)) return "an encoded slash in the path";
  const decoded = decode(path);
  if (decoded === null) return "an escape that is no UTF-8";
  if (/%[0-9a-f]{2}/i.test(decode(common) ?? "")) return "a path encoded twice";
  // At the very end dots climb to a folder and read nothing: no route has that path, and that is its answer.
  if (/(?:^|[\\/])\.{1,2}[\\/]/.test(decoded) || /[\\/]\.{1,2}$/.test(decoded) !== /\/\.{1,2}$/.test(path))
    return "a dot segment in the path";
  return null;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
