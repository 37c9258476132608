/**
 * An operation of a tenant's own API as a tool. The configuration says everything but the arguments: method, host, path, headers, schema.
 * Secrets come by their name, from the Worker.
 */
import { err, ok, type Result } from "../../contracts/result.ts";
import { isRecord } from "../../wire/is-record.ts";
import type { JsonObject } from "../../wire/json-bounds.ts";
import type { ServerTool, ToolFault, ToolOutput } from "../server-tool.ts";
import { isRepeatable, type HttpToolConfig } from "../tool-policy.ts";
import { type Ask, type Fetch, safeFetch, type SecretHeader } from "./safe-fetch.ts";

export interface HttpToolDeps {
  readonly fetch: Fetch;
  /** A secret of the Worker; `null`: there is none of that name. */
  readonly secret: (name: string) => string | null;
  readonly mayReachThisMachine: boolean;
}

export function httpTool(config: HttpToolConfig, deps: HttpToolDeps): ServerTool {
  const base = new URL(config.base_url);
  const hosts = new Set([base.host, ...config.redirect_hosts]);
  return {
    name: config.name,
    description: config.description,
    parameters: config.parameters,
    shown: "mcp_call",
    isRepeatable: isRepeatable(config),
    timeoutMs: config.timeout_ms,
    async run(args, { signal }): Promise<Result<ToolOutput, ToolFault>> {
      const ask = askOf(config, args);
      if (!ask.ok) return ask;
      const secretHeaders = secretsOf(config.headers, deps.secret);
      if (!secretHeaders.ok) return secretHeaders;
      const answered = await safeFetch(
        deps.fetch,
        { ...ask.value, secretHeaders: secretHeaders.value },
        {
          targets: { hosts, mayReachThisMachine: deps.mayReachThisMachine },
          maxBytes: config.max_bytes,
          signal,
        },
      );
      return answered.ok ? ok({ text: answered.value === "" ? "(empty)" : answered.value }) : answered;
    },
  };
}

/** The request for these arguments. Each value stays within its one segment of the path or its one pair of the query. */
export function askOf(
  config: HttpToolConfig,
  args: JsonObject,
): Result<Omit<Ask, "secretHeaders">, ToolFault> {
  const left = new Map(Object.entries(args));
  const unknown = unknownArgument(config.parameters, args);
  if (unknown !== null)
    return err({ kind: "arguments-invalid", detail: `there is no '${unknown.slice(0, 64)}'` });
  let fault: string | null = null;
  const path = config.path.replaceAll(/\{([^{}]*)\}/g, (_braces, name: string) => {
    const value = scalar(left.get(name));
    left.delete(name);
    const segment = value === null ? null : pathSegment(value);
    if (segment === null) fault = `'${name}' can't stand in a path`;
    return segment ?? "";
  });
  if (fault !== null) return err({ kind: "arguments-invalid", detail: fault });
  const base = new URL(config.base_url);
  const url = new URL(base.origin);
  url.pathname = base.pathname.replace(/\/$/, "") + path;
  const inBody = config.method !== "GET" && config.method !== "DELETE";
  const body: Record<string, unknown> = {};
  for (const [name, value] of left) {
    if (inBody && !config.query.includes(name)) {
      Object.defineProperty(body, name, { value, enumerable: true });
      continue;
    }
    for (const one of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      const text = scalar(one);
      if (text === null)
        return err({ kind: "arguments-invalid", detail: `'${name}' can't stand in a query` });
      url.searchParams.append(name, text);
    }
  }
  return ok({
    url,
    method: config.method,
    headers: inBody ? { "content-type": "application/json" } : {},
    body: inBody ? JSON.stringify(body) : null,
  });
}

/**
 * JSON schema lets an object have more members than its `properties` name; of an API's arguments hardly anybody means that, and whatever
 * a model makes up would be in its query. Only where the schema says nothing of it, nor has other members of its own in its branches.
 */
function unknownArgument(schema: HttpToolConfig["parameters"], args: JsonObject): string | null {
  const { properties } = schema;
  if (!isRecord(properties) || saysMore.some((keyword) => Object.hasOwn(schema, keyword))) return null;
  return Object.keys(args).find((name) => !Object.hasOwn(properties, name)) ?? null;
}

const saysMore = ["additionalProperties", "unevaluatedProperties", "allOf", "anyOf", "oneOf", "if"];

/**
 * Every character that could mean something to a URL is encoded, slashes and percent signs too. `.` and `..` have no encoding that a
 * URL parser does not read as themselves (`%2e%2e` is `..`): refused, as is nothing at all, which would leave another path.
 */
export function pathSegment(value: string): string | null {
  if (value === "" || value === "." || value === ".." || !value.isWellFormed()) return null;
  return encodeURIComponent(value).replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
}

function scalar(value: unknown): string | null {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}

/** Header values by name. The error names no secret: who configures the tenant finds it in the fault's report. */
export function secretsOf(
  headers: HttpToolConfig["headers"],
  secret: HttpToolDeps["secret"],
): Result<Ask["secretHeaders"], ToolFault> {
  const values: Record<string, SecretHeader> = {};
  for (const { name, secret: secretName, prefix } of headers) {
    const value = secret(secretName);
    if (value === null) return err({ kind: "unavailable", detail: "it is not set up: a secret is missing" });
    values[name] = { value: prefix + value, secret: value };
  }
  return ok(values);
}
