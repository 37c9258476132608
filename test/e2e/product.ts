/** What a test does with the running product: tokens, clients, the fleet's faults and its record of what arrived. */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import OpenAI from "openai";
import { inject } from "vitest";
import { isOf } from "./engine-id.ts";
import { makeToken } from "../../dev/local-token.ts";
import type { FaultInput } from "../../dev/origin/server/faults.ts";
import type { RequestRecord } from "../../dev/origin/server/request-log.ts";

export const { url, replicas, logFile } = inject("edgewise");

export type Tier = "free" | "pro" | "enterprise";

export interface Caller {
  readonly user?: string;
  readonly org?: string;
  readonly tier?: Tier;
}

/** A name that no other test uses. */
export function unique(prefix = "u"): string {
  return `${prefix}-${randomUUID()}`;
}

/** A new user unless one is named; its org too, so that no test spends another's allowance. */
export function tokenFor({ user = unique(), org = unique("o"), tier = "pro" }: Caller = {}): Promise<string> {
  return makeToken(["--tenant", "demo", "--user", user, "--org", org, "--tier", tier]);
}

/** The official client as a customer's developer would make it; its retries are off unless a test is about them. */
export async function clientFor(caller: Caller = {}, maxRetries = 0): Promise<OpenAI> {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: await tokenFor(caller), maxRetries });
}

export function post(
  path: string,
  token: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(`${url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

export interface UsageStanding {
  readonly used: { readonly requests: number; readonly tokens: number };
  readonly reserved: { readonly requests: number; readonly tokens: number };
  readonly unsettled: { readonly requests: number; readonly tokens: number };
}

export async function usageOf(token: string): Promise<{ user: UsageStanding; org: UsageStanding }> {
  const response = await fetch(`${url}/v1/usage`, { headers: { authorization: `Bearer ${token}` } });
  return (await response.json()) as { user: UsageStanding; org: UsageStanding };
}

/** What reached any replica with this request id, oldest first. */
export async function received(requestId: string): Promise<readonly RequestRecord[]> {
  const all = await Promise.all(
    replicas.map(async (replica) => {
      const response = await fetch(`${replica}/_dev/requests`);
      return ((await response.json()) as { requests: readonly RequestRecord[] }).requests;
    }),
  );
  return all
    .flat()
    .filter(({ headers }) => isOf(headers["x-request-id"], requestId))
    .toSorted((left, right) => left.started_ms - right.started_ms);
}

export async function setFaults(replica: string, ...faults: readonly FaultInput[]): Promise<void> {
  await fetch(`${replica}/_dev/faults`, { method: "DELETE" });
  if (faults.length > 0) await dev(replica, "faults", faults);
}

export async function setSpeed(speed: { ttft_ms?: number; token_ms?: number }): Promise<void> {
  for (const replica of replicas) await dev(replica, "speed", speed);
}

async function dev(replica: string, route: string, body: unknown): Promise<void> {
  const response = await fetch(`${replica}/_dev/${route}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`/_dev/${route}: ${response.status} ${await response.text()}`);
}

/** The product's log line of a request. */
export async function logLineOf(requestId: string): Promise<Record<string, unknown> | undefined> {
  const lines = (await readFile(logFile, "utf8")).split("\n");
  const line = lines.find((one) => one.startsWith('{"event":"request"') && one.includes(`"${requestId}"`));
  return line === undefined ? undefined : (JSON.parse(line) as Record<string, unknown>);
}

/** Looks until it is so; for what happens behind a response, such as a settlement. The test's own time limit ends it. */
export async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The `data:` payloads of an SSE body, `[DONE]` included. */
export function dataOf(text: string): string[] {
  return text
    .split("\n\n")
    .filter((event) => event.startsWith("data: "))
    .map((event) => event.slice(6));
}
