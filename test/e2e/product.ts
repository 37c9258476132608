/** What a test does with the running product: clients, the fleet's faults and its record of what arrived. */
import { readFile } from "node:fs/promises";
import OpenAI from "openai";
import { inject } from "vitest";
import { type Caller, tokenFor, until } from "./callers.ts";
import { isOf, requestIdOf } from "./engine-id.ts";
import { keepAsking, lastLinesOf } from "./last-words.ts";
import type { FaultInput } from "../../dev/origin/server/faults.ts";
import type { RequestRecord } from "../../dev/origin/server/request-log.ts";

export { dataOf, tokenFor, unique, until } from "./callers.ts";

export const { url, replicas, logFile } = inject("edgewise");
keepAsking("the product printed last", async () => lastLinesOf(await readFile(logFile, "utf8")));

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
  const all = await Promise.all(replicas.map(recordsOf));
  return all
    .flat()
    .filter(({ headers }) => isOf(headers["x-request-id"], requestId))
    .toSorted((left, right) => left.started_ms - right.started_ms);
}

/** What reached any replica with this text, by request: one whose first replica is late is at a second one as well. */
export async function reachedWith(text: string): Promise<readonly (readonly RequestRecord[])[]> {
  const all = (await Promise.all(replicas.map(recordsOf))).flat();
  const withText = all.filter(({ body }) => JSON.stringify(body).includes(text));
  return [...Map.groupBy(withText, ({ headers }) => requestIdOf(headers["x-request-id"])).values()];
}

async function recordsOf(replica: string): Promise<readonly RequestRecord[]> {
  const response = await fetch(`${replica}/_dev/requests`);
  return ((await response.json()) as { requests: readonly RequestRecord[] }).requests;
}

/** Until so many conversations of the caller are listed, each by its name: the list is told of them behind their making. */
export async function listed(client: OpenAI, count: number): Promise<void> {
  interface Listed {
    readonly data: readonly { readonly title: string | null }[];
  }
  await until(async () => {
    const { data } = await client.get<Listed>("/conversations", { query: { limit: 100 } });
    return data.filter(({ title }) => title !== null).length === count;
  });
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
