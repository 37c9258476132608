import type { TenantId } from "../contracts/ids.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { describeIssues, forWriters, notJson } from "./document-fault.ts";
import { readStored, type StoredDocument } from "./stored-document.ts";
import { tenantConfigSchema, type TenantConfig } from "./tenant-config.ts";

/**
 * Which KV entries does a tenant have? Its configuration under `tenant:<id>`, and one index entry (its value: the tenant's id) for each
 * hostname and each issuer with its audience. docs/storage.md lists the keys: they are an API.
 */
export interface StoreEntry {
  readonly key: string;
  readonly value: string;
}

export const tenantPrefix = "tenant:";

export function tenantKey(id: string): string {
  return `${tenantPrefix}${id}`;
}

/** Marks that a tenant with this id was deleted: a later one gets none of its API keys. The value says when, in ISO 8601. */
export function goneKey(id: string): string {
  return `gone:${id}`;
}

export function hostKey(host: string): string {
  return `index:host:${host}`;
}

/** Hashed, since an issuer and its audience may be longer than KV's 512 bytes of key. Neither may hold a line feed. */
export async function issuerKey(issuer: string, audience: string): Promise<string> {
  return `index:issuer:${await sha256(`${issuer}\n${audience}`)}`;
}

/** The tenant's own entry first: an index must never point at nothing. */
export async function tenantEntries(tenant: TenantConfig): Promise<readonly [StoreEntry, ...StoreEntry[]]> {
  const issuers = await Promise.all(
    tenant.issuers.map(({ issuer, audience }) => issuerKey(issuer, audience)),
  );
  return [
    { key: tenantKey(tenant.id), value: JSON.stringify(tenant) },
    ...[...tenant.hosts.map(hostKey), ...issuers].map((key) => ({ key, value: tenant.id })),
  ];
}

/** The same configuration with `version` set to a hash of all the rest: it changes with every edit, and only then. */
export async function withVersion(tenant: TenantConfig): Promise<TenantConfig> {
  const hash = await sha256(JSON.stringify({ ...tenant, version: "" }));
  return { ...tenant, version: hash.slice(0, 16) };
}

/** A tenant's configuration from JSON text; otherwise what is wrong, each line naming the field's path. */
export function parseTenantConfig(text: string): Result<TenantConfig, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return err(notJson(error));
  }
  return checkTenantConfig(json);
}

/** The same of an entry in KV: what only newer code knows is left out, and named. */
export function readTenantEntry(text: string): Result<StoredDocument<TenantConfig>, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return err(notJson(error));
  }
  const read = readStored(tenantConfigSchema, json);
  return read.ok ? read : err(describeIssues(read.error));
}

export function checkTenantConfig(json: unknown): Result<TenantConfig, string> {
  const parsed = tenantConfigSchema.safeParse(json, forWriters);
  return parsed.success ? ok(parsed.data) : err(describeIssues(parsed.error));
}

/** For callers who hold a key of KV and want the id in it. */
export function tenantIdOfKey(key: string): TenantId {
  return key.slice(tenantPrefix.length) as TenantId;
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
