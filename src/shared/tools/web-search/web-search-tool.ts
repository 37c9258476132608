/**
 * Web search through the JSON API that the tenant has configured: results go to the model as numbered passages, which it cites.
 * The pages themselves are not fetched.
 */
import { err, ok, type Result } from "../../contracts/result.ts";
import { isRecord } from "../../wire/is-record.ts";
import { secretsOf, type HttpToolDeps } from "../http/http-tool.ts";
import { safeFetch } from "../http/safe-fetch.ts";
import { webSearchName } from "../names.ts";
import type { Passage, ServerTool, ToolFault, ToolOutput } from "../server-tool.ts";
import type { WebSearchConfig } from "../tool-policy.ts";

/** What the client's own `web_search` tool says of it. */
export interface WebSearchWish {
  /** Only results on these hosts or their subdomains. Empty: all. */
  readonly domains: readonly string[];
  /** OpenAI's `search_context_size`. */
  readonly size: "low" | "medium" | "high";
}

export const webSearchDefinition = {
  name: webSearchName,
  description: "Searches the web for current information. Cite what you use by its number in brackets.",
  parameters: {
    type: "object",
    properties: {
      query: { type: "string", description: "What to search for", minLength: 1, maxLength: 400 },
    },
    required: ["query"],
    additionalProperties: false,
  },
} as const;

/** Of a search API's answer. */
const maxBytes = 524_288;
const shares = { low: 0.5, medium: 1, high: 2 } as const;
const mostResults = 10;
const passageCharacters = 1500;

export function webSearchTool(config: WebSearchConfig, wish: WebSearchWish, deps: HttpToolDeps): ServerTool {
  const count = Math.min(mostResults, Math.max(1, Math.round(config.max_results * shares[wish.size])));
  return {
    ...webSearchDefinition,
    shown: "web_search_call",
    isRepeatable: true,
    timeoutMs: config.timeout_ms,
    async run({ query }, { signal }): Promise<Result<ToolOutput, ToolFault>> {
      const secretHeaders = secretsOf(config.headers, deps.secret);
      if (!secretHeaders.ok) return secretHeaders;
      const url = searchUrl(config.url, String(query), count);
      const answered = await safeFetch(
        deps.fetch,
        { url, method: "GET", headers: {}, secretHeaders: secretHeaders.value, body: null },
        {
          targets: { hosts: new Set([url.host]), mayReachThisMachine: deps.mayReachThisMachine },
          maxBytes,
          signal,
        },
      );
      if (!answered.ok) return answered;
      const found = passagesIn(answered.value, config);
      if (found === null)
        return err({ kind: "unavailable", detail: "the search service answered in an unknown form" });
      const passages = found.filter(({ url: from }) => isWithin(from, wish.domains)).slice(0, count);
      return ok({ text: "", passages });
    },
  };
}

/**
 * What is searched for is data: encoded, it is one value of the query or one segment of the path, whatever is in it. `.` and `..` would be
 * steps of a path, encoded or not: with a blank behind them they are words.
 */
export function searchUrl(template: string, query: string, count: number): URL {
  const filled = template.replaceAll(/\{(query|count)\}/g, (_braces, name: string) =>
    encodeURIComponent(name === "query" ? asWords(query.toWellFormed()) : String(count)),
  );
  return new URL(filled);
}

function asWords(query: string): string {
  return query === "." || query === ".." ? `${query} ` : query;
}

/** `null`: the answer is not what the configuration says. Results without an address of the web can't be cited, and are left out. */
function passagesIn(text: string, { results, fields }: WebSearchConfig): readonly Passage[] | null {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return null;
  }
  for (const name of results.split("."))
    list = isRecord(list) && Object.hasOwn(list, name) ? list[name] : undefined;
  if (!Array.isArray(list)) return null;
  return (list as readonly unknown[]).flatMap((result): Passage[] => {
    if (!isRecord(result)) return [];
    const url = webAddress(result[fields.url]);
    if (url === null) return [];
    const title = plainText(result[fields.title]).slice(0, 300).toWellFormed();
    return [
      {
        url,
        title: title === "" ? url : title,
        text: plainText(result[fields.text]).slice(0, passageCharacters).toWellFormed(),
      },
    ];
  });
}

function webAddress(value: unknown): string | null {
  const url = typeof value === "string" && value.length <= 2048 ? URL.parse(value) : null;
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return null;
  return url.username === "" && url.password === "" ? url.href : null;
}

/** Search APIs mark what they found in HTML. One line, so that no result can look like another's number. */
function plainText(value: unknown): string {
  return typeof value === "string"
    ? value
        .replaceAll(/<[^<>]{0,100}>/g, "")
        .replaceAll(/\s+/g, " ")
        .trim()
    : "";
}

function isWithin(url: string, domains: readonly string[]): boolean {
  if (domains.length === 0) return true;
  const { hostname } = new URL(url);
  return domains.some((domain) => hostname === domain || hostname.endsWith(`.${domain}`));
}
