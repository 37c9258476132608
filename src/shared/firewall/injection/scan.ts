/**
 * Does a request's line or header carry an attack of OWASP CRS's families 930, 932, 941 or 942? Only URLs and headers are scanned, never
 * bodies: people paste code into prompts. An ordinary text is cleared by one scan of its characters.
 */
import { commandRules } from "./command-rules.ts";
import { unmask } from "./evasion.ts";
import { fileRules } from "./file-rules.ts";
import { queryRules } from "./query-rules.ts";
import type { Place, Rule } from "./rule.ts";
import { scriptRules } from "./script-rules.ts";

export const rules: readonly Rule[] = [...fileRules, ...commandRules, ...scriptRules, ...queryRules];

/** What matched, for the log. Never the text itself: it may hold somebody's secret. */
export interface Finding {
  readonly rule: Rule["id"];
  readonly place: Place;
}

const allPlaces: readonly Place[] = [
  "path",
  "query",
  "user-agent",
  "referer",
  "cookie",
  "file-name",
  "header",
];
const rulesByPlace = new Map<Place, readonly Rule[]>(
  allPlaces.map((place) => [
    place,
    rules.filter(({ places }) => places === undefined || places.includes(place)),
  ]),
);
const dottedPathRules = fileRules.filter(({ places }) => places?.includes("path") === true);

/** Words and dashes: no rule matches in them. */
const plainPath = /^(?:\/[\w-]*)*$/;
/** The same with dots and colons inside of a word, as in a model's name. */
const dottedPath = /^(?:\/[\w-][\w.:@-]*)*\/?$/;
const plainQuery = /^[\w\-.=&]*$/;
const plainValue = /^[\w\-.,:=@+ ]*$/;

/**
 * A conversation's name is its owner's own text, as a prompt is: whatever a body may call it, its URL must reach, to read and to
 * delete it. It is hashed, and read as nothing else.
 */
const ownName = /^\/v1\/conversations\/[^/]+/;

/** `sent`: the path of the URL, as it was sent. */
export function scanPath(sent: string): Finding | null {
  if (plainPath.test(sent)) return null;
  const path = sent.replace(ownName, "/v1/conversations");
  if (dottedPath.test(path)) return firstMatch(path, "path", dottedPathRules, false);
  return firstMatch(path, "path", rulesByPlace.get("path") ?? [], true);
}

/** `query`: without its question mark, as it was sent. */
export function scanQuery(query: string): Finding | null {
  if (plainQuery.test(query)) return null;
  // A field's end must stay one when what is inside of fields is decoded.
  return firstMatch(query.replaceAll("&", "\u0001"), "query", rulesByPlace.get("query") ?? [], true);
}

/** A header's value. Short words alone match nothing but tools that no browser is called. */
export function scanHeader(value: string, place: Place): Finding | null {
  if (plainValue.test(value) && place !== "user-agent" && place !== "file-name") return null;
  return firstMatch(value, place, rulesByPlace.get(place) ?? [], place !== "user-agent");
}

function firstMatch(
  raw: string,
  place: Place,
  candidates: readonly Rule[],
  plusIsBlank: boolean,
): Finding | null {
  const unmasked = unmask(raw, plusIsBlank);
  for (const rule of candidates) if (rule.pattern.test(unmasked[rule.reads])) return { rule: rule.id, place };
  return null;
}
