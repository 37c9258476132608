import type { Unmasked } from "./evasion.ts";

/** OWASP CRS's families that this firewall knows: LFI and path traversal, RCE, XSS, SQL injection. */
export type RuleFamily = "930" | "932" | "941" | "942";

/** Which part of the request a text comes from. A header's rules are narrower: browsers write odd things there. */
export type Place = "path" | "query" | "user-agent" | "referer" | "cookie" | "file-name" | "header";

/**
 * One pattern. Linear by construction, since it runs on hostile text in a backtracking engine: no backreference, no
 * look-behind, no repetition inside of a repetition, and bounds on every wild part (scan.test.ts checks their source).
 */
export interface Rule {
  /** Family and a word, for the log: `942-union-select`. */
  readonly id: `${RuleFamily}-${string}`;
  /** Which form of the text it reads. */
  readonly reads: keyof Unmasked;
  readonly pattern: RegExp;
  /** Where it applies; everywhere if not said. */
  readonly places?: readonly Place[];
}

/** Where free text of a request's line stands. */
export const requestLine: readonly Place[] = ["path", "query"];
/** The same, and the headers in which no browser writes quotes, brackets or semicolons of its own. */
export const lineAndReferer: readonly Place[] = ["path", "query", "referer"];
