/**
 * Which tools does Edgewise run for a tenant, within which bounds? Part of the tenant's configuration, checked when it is written.
 * Absent: none. Only schemas stand here: what runs the tools is loaded by the first turn that needs it.
 */
import * as z from "zod";
import { argumentSchemaFault } from "./argument-schema.ts";
import { calculatorName, sqlToolName, webSearchName } from "./names.ts";

const toolName = z.lazy(() =>
  z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, "1 to 64 letters, digits, underscores and dashes"),
);
const description = z.lazy(() => z.string().min(1).max(4096));
const timeoutMs = z.lazy(() => z.int().min(100).max(60_000));

/**
 * Names a Worker secret or binding of this tenant's own: `TOOLS_<TENANT>__<NAME>`, the tenant's id in upper case with `_` for `-`. So no
 * tenant's configuration, whoever may write it, reaches another's secrets or the platform's.
 */
const ownBinding = z.lazy(() => z.string().max(128));

export function isOwnBinding(name: string, tenantId: string): boolean {
  const prefix = ownPrefix(tenantId);
  return name.startsWith(prefix) && /^[A-Z0-9]+(?:_[A-Z0-9]+)*$/.test(name.slice(prefix.length));
}

export function ownPrefix(tenantId: string): string {
  return `TOOLS_${tenantId.toUpperCase().replaceAll("-", "_")}__`;
}

const headerName = z.lazy(() =>
  z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, "1 to 64 lower-case letters, digits and dashes")
    .refine((name) => !forbiddenHeaders.has(name), "is not for configuration to set"),
);

/** Headers that belong to HTTP itself, or tell another server who is behind a request. */
const forbiddenHeaders = new Set([
  "host",
  "connection",
  "content-length",
  "content-type",
  "transfer-encoding",
  "upgrade",
  "cookie",
  "expect",
  "te",
  "trailer",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
]);

/** Sent with each request, with a secret's value behind the prefix. */
const headers = z.lazy(() =>
  z
    .array(
      z.strictObject({
        name: headerName,
        secret: ownBinding,
        // What else a header's value may not hold would make each call fail, as if there were no server.
        prefix: z
          .string()
          .regex(/^[\x20-\x7e]{0,64}$/, "is not up to 64 visible ASCII characters and blanks")
          .default(""),
      }),
    )
    .max(8),
);

const loopbackHosts = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * https, or http to this machine, which is refused in production when it is asked (safe-fetch.ts), with every redirect and whatever else
 * a URL can say.
 */
function isAllowedScheme({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || (protocol === "http:" && loopbackHosts.has(hostname));
}

const baseUrl = z.lazy(() =>
  z
    .string()
    .max(2048)
    .superRefine((text, context) => {
      const url = URL.parse(text);
      if (url === null) context.addIssue({ code: "custom", message: "is no URL" });
      else if (!isAllowedScheme(url))
        context.addIssue({ code: "custom", message: "is neither https nor http on this machine" });
      else if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
        context.addIssue({ code: "custom", message: "holds a user, a password, a query or a fragment" });
    }),
);

const argumentSchema = z.lazy(() =>
  z.record(z.string().max(256), z.unknown()).superRefine((schema, context) => {
    const fault = argumentSchemaFault(schema);
    if (fault !== null) context.addIssue({ code: "custom", message: fault });
  }),
);

const httpToolSchema = z.lazy(() =>
  z
    .strictObject({
      name: toolName,
      description,
      method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).default("GET"),
      base_url: baseUrl,
      /** `/orders/{id}`: each name in braces is an argument. */
      path: z
        .string()
        .regex(/^\/[^?#\\\s]{0,1023}$/, "begins with a slash, and holds no query, fragment or blank"),
      parameters: argumentSchema,
      /** Arguments that go into the query. The rest go into the query of a GET or DELETE, else into a JSON body. */
      query: z.array(z.string().min(1).max(128)).max(64).default([]),
      headers: headers.default([]),
      /** Hosts that a redirect may lead to, beside the base URL's own. */
      redirect_hosts: z
        .array(
          z.string().regex(/^[a-z0-9.-]{1,253}$/, "is no hostname in lower case, such as chat.example.com"),
        )
        .max(8)
        .default([]),
      timeout_ms: timeoutMs.default(10_000),
      max_bytes: z.int().min(256).max(1_048_576).default(262_144),
      /** A call whose outcome was lost may be made again. Absent: of a GET alone. */
      repeatable: z.boolean().optional(),
    })
    .superRefine(({ path, parameters }, context) => {
      const properties = parameters["properties"];
      const known = typeof properties === "object" && properties !== null ? properties : {};
      for (const [, name = ""] of path.matchAll(/\{([^{}]*)\}/g))
        if (!Object.hasOwn(known, name))
          context.addIssue({ code: "custom", path: ["path"], message: `names no parameter: {${name}}` });
      if (/[{}]/.test(path.replaceAll(/\{[^{}]*\}/g, "")) || /(?:^|\/)\.{1,2}(?:\/|$)/.test(path))
        context.addIssue({ code: "custom", path: ["path"], message: "holds a lone brace, '.' or '..'" });
    }),
);
export type HttpToolConfig = z.infer<typeof httpToolSchema>;

/** Whether a call may be made twice. */
export function isRepeatable({ method, repeatable }: Pick<HttpToolConfig, "method" | "repeatable">): boolean {
  return repeatable ?? method === "GET";
}

const webSearchSchema = z.lazy(() =>
  z.strictObject({
    /** Where `{query}` stands goes what is searched for; `{count}` is how many results. */
    url: z
      .string()
      .max(2048)
      .refine((url) => url.includes("{query}"), "has no {query}")
      .refine((url) => baseUrlOf(url), "is no https URL, or holds a user, a password or a fragment"),
    headers: headers.default([]),
    /** Where in the answer the list of results is: `web.results`. */
    results: z
      .string()
      .regex(/^[\w-]+(?:\.[\w-]+){0,7}$/)
      .default("results"),
    /** The members of a result. */
    fields: z
      .strictObject({
        url: memberName("url"),
        title: memberName("title"),
        text: memberName("description"),
      })
      .prefault({}),
    max_results: z.int().min(1).max(10).default(5),
    timeout_ms: timeoutMs.default(10_000),
  }),
);
export type WebSearchConfig = z.infer<typeof webSearchSchema>;

function memberName(usual: string) {
  return z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .default(usual);
}

function baseUrlOf(template: string): boolean {
  const url = URL.parse(template.replaceAll(/\{(?:query|count)\}/g, "x"));
  if (url === null || !isAllowedScheme(url) || url.username !== "" || url.password !== "") return false;
  // The host is the tenant's choice, never the model's.
  return url.hash === "" && !/\{/.test(template.split("/", 3).join("/"));
}

const sqlSchema = z.lazy(() =>
  z.strictObject({
    /** A D1 database, or a Hyperdrive to PostgreSQL, bound to the Worker. */
    binding: ownBinding,
    dialect: z.enum(["postgresql", "d1"]).default("postgresql"),
    /** What there is to be asked, in words and columns: the model knows no more of it. */
    description,
    /** Tables and views that may be read, as `schema.table` or `table`. */
    tables: z
      .array(z.string().regex(/^[a-z_][a-z0-9_$]{0,62}(?:\.[a-z_][a-z0-9_$]{0,62})?$/))
      .min(1)
      .max(200),
    max_rows: z.int().min(1).max(1000).default(100),
    timeout_ms: timeoutMs.default(5000),
  }),
);
export type SqlConfig = z.infer<typeof sqlSchema>;

export const toolPolicySchema = z.lazy(() =>
  z
    .strictObject({
      calculator: z.boolean().default(false),
      http: z.array(httpToolSchema).max(32).default([]),
      sql: sqlSchema.nullable().default(null),
      web_search: webSearchSchema.nullable().default(null),
      /** Chat completions have them as well: each is then a durable turn, and none is answered from the cache. */
      chat_completions: z.boolean().default(false),
      /** How often one answer may turn to its tools, and with how many calls in all. */
      max_rounds: z.int().min(1).max(16).default(5),
      max_calls: z.int().min(1).max(64).default(12),
      /** Of each result, as the model reads it. */
      max_result_characters: z.int().min(256).max(16_000).default(8000),
    })
    .superRefine((policy, context) => {
      const seen = new Set(builtInNames);
      for (const [at, { name }] of policy.http.entries()) {
        if (seen.has(name))
          context.addIssue({
            code: "custom",
            path: ["http", at, "name"],
            message: "is another tool's already",
          });
        seen.add(name);
      }
    }),
);
export type ToolPolicy = z.infer<typeof toolPolicySchema>;

const builtInNames = [calculatorName, sqlToolName, webSearchName];

/** Where a policy names a secret or a binding, with its path. */
export function bindingsOf(
  policy: ToolPolicy,
): readonly (readonly [path: readonly (string | number)[], name: string])[] {
  const ofHeaders = (path: readonly (string | number)[], all: HttpToolConfig["headers"]) =>
    all.map(({ secret }, at) => [[...path, "headers", at, "secret"], secret] as const);
  return [
    ...policy.http.flatMap((tool, at) => ofHeaders(["http", at], tool.headers)),
    ...(policy.web_search === null ? [] : ofHeaders(["web_search"], policy.web_search.headers)),
    ...(policy.sql === null ? [] : [[["sql", "binding"], policy.sql.binding] as const]),
  ];
}
