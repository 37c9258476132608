/** What does the product say that was used? By the owner's page, by its log, by a tenant's book, and by the receipts of its answers. */
import { decodeJwt } from "jose";
import type { ReceiptClaims } from "../../../../src/shared/receipts/receipt.ts";
import type { Caller } from "./turns.ts";

export interface Amounts {
  readonly requests: number;
  readonly tokens: number;
}

export interface Standing {
  readonly used: Amounts;
  readonly reserved: Amounts & { readonly concurrent_requests: number };
  readonly unsettled: Amounts;
  readonly unaccounted: Amounts;
}

export async function standingsOf(
  url: string,
  { token }: Caller,
): Promise<{ readonly user: Standing; readonly org: Standing }> {
  return readJson(`${url}/v1/usage`, token) as Promise<{ user: Standing; org: Standing }>;
}

/** Of the tenant's book, by org; up to a minute behind. */
export async function bookOf(url: string, admin: string): Promise<ReadonlyMap<string, Amounts>> {
  const { data } = (await readJson(`${url}/admin/usage?tenant=demo&group_by=org`, admin)) as {
    data: readonly (Amounts & { readonly org: string })[];
  };
  return new Map(data.map(({ org, requests, tokens }) => [org, { requests, tokens }]));
}

export interface Charged extends Amounts {
  /** Turns that were cancelled before any model was asked: they count as requests, and neither log nor book has a model for them. */
  readonly withoutModel: number;
}

/** What the turns of these ids were charged, as their receipts say. */
export async function receiptsOf(url: string, { token }: Caller, ids: readonly string[]): Promise<Charged> {
  let tokens = 0;
  let withoutModel = 0;
  for (const id of ids) {
    const { receipt } = (await readJson(`${url}/v1/usage/receipts/${id}`, token)) as { receipt: string };
    const { model, usage } = decodeJwt<ReceiptClaims>(receipt);
    tokens += usage.prompt_tokens + usage.completion_tokens;
    if (model === null) withoutModel += 1;
  }
  return { requests: ids.length, tokens, withoutModel };
}

export interface ClusterStanding {
  readonly id: string;
  readonly leases: number;
  readonly queue: { readonly waiting: number };
}

export async function poolsOf(url: string, admin: string): Promise<readonly ClusterStanding[]> {
  const { clusters } = (await readJson(`${url}/admin/fleet`, admin)) as {
    clusters: readonly ClusterStanding[];
  };
  return clusters;
}

async function readJson(url: string, token: string): Promise<unknown> {
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json();
}
