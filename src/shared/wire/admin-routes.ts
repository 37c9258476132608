/** The `/admin/*` part of the route table (routes.ts). */
import type * as z from "zod";
import { tenantConfigSchema } from "../tenancy/tenant-config.ts";
import {
  apiKeyListSchema,
  apiKeySchema,
  auditPageSchema,
  createKeySchema,
  restoredKeysSchema,
  revocationResultSchema,
  revocationSchema,
  rotateKeySchema,
  tenantDeletedSchema,
  tenantListSchema,
} from "./admin-requests.ts";
import { erasureRoutes, erasureSchemas } from "./erasure-routes.ts";
import { fleetChangedSchema, fleetChangeSchema, fleetReportSchema } from "./fleet-admin.ts";
import { limitsReportSchema, tenantUsageSchema } from "./usage-responses.ts";
import type { PublicRoute } from "./public-route.ts";
import { anyAdmin, platformAdminOnly } from "./scopes.ts";

export const adminSchemas = {
  CreateKeyRequest: createKeySchema,
  RotateKeyRequest: rotateKeySchema,
  ApiKey: apiKeySchema,
  ApiKeyList: apiKeyListSchema,
  RevocationRequest: revocationSchema,
  Revocation: revocationResultSchema,
  RestoredKeys: restoredKeysSchema,
  AuditPage: auditPageSchema,
  FleetReport: fleetReportSchema,
  FleetChange: fleetChangeSchema,
  FleetChanged: fleetChangedSchema,
  TenantConfiguration: tenantConfigSchema,
  TenantList: tenantListSchema,
  TenantDeleted: tenantDeletedSchema,
  LimitsReport: limitsReportSchema,
  TenantUsage: tenantUsageSchema,
  ...erasureSchemas,
} satisfies Record<string, z.ZodType>;

const common = [401, 403, 429, 503] as const;
const ofBody = [400, 404, 409, 413, 415, ...common] as const;
const tenant = { tenant: "Whose. Left out: your own tenant, or the platform." };
const paging = { limit: "1 to 100; 20 if left out.", after: "`next_after` of the page before." };

export const adminRoutes: readonly PublicRoute[] = [
  {
    method: "POST",
    path: "/admin/keys",
    tag: "Admin",
    summary: "Create an API key",
    description: "`value` is the key itself, and is shown only this once.",
    scopes: anyAdmin,
    queryParameters: tenant,
    request: {
      schema: "CreateKeyRequest",
      example: { name: "nightly reports", scopes: [], allow_ips: ["192.0.2.0/24"] },
    },
    success: { description: "The key, with its `value`", content: { "application/json": "ApiKey" } },
    errors: ofBody,
  },
  {
    method: "GET",
    path: "/admin/keys",
    tag: "Admin",
    summary: "List the API keys, newest first",
    scopes: anyAdmin,
    queryParameters: { ...tenant, ...paging },
    success: { description: "A page of keys", content: { "application/json": "ApiKeyList" } },
    errors: [400, 404, ...common],
  },
  {
    method: "GET",
    path: "/admin/keys/{id}",
    tag: "Admin",
    summary: "Get an API key",
    scopes: anyAdmin,
    pathParameters: { id: "The key's id: the part of it after the environment." },
    queryParameters: tenant,
    success: { description: "The key, without its `value`", content: { "application/json": "ApiKey" } },
    errors: [404, ...common],
  },
  {
    method: "DELETE",
    path: "/admin/keys/{id}",
    tag: "Admin",
    summary: "Revoke an API key",
    description: "Refused within 10 seconds wherever its user's limits can be asked. The record stays.",
    scopes: anyAdmin,
    pathParameters: { id: "The key's id." },
    queryParameters: tenant,
    success: { description: "The revoked key", content: { "application/json": "ApiKey" } },
    errors: [404, ...common],
  },
  {
    method: "POST",
    path: "/admin/keys/{id}/rotate",
    tag: "Admin",
    summary: "Replace an API key by a new one with the same rights",
    description:
      "The new key has an id of its own, works at once everywhere, and lives as long as the old one was made for. The old one " +
      "stays valid for `grace_seconds`. With 0 it is revoked in the same step, and everybody told until they know; revoking it as well " +
      "is answered with success once they do.",
    scopes: anyAdmin,
    request: { schema: "RotateKeyRequest", example: { grace_seconds: 86_400 } },
    pathParameters: { id: "The old key's id." },
    queryParameters: tenant,
    success: { description: "The new key, with its `value`", content: { "application/json": "ApiKey" } },
    errors: ofBody,
  },
  {
    method: "POST",
    path: "/admin/keys/restore",
    tag: "Admin",
    summary: "Write the copies of all live API keys anew",
    description:
      "For a KV that was lost: keys are looked up there, and kept in the tenant's audit log. They work again as they are, within a minute or two; nothing is revoked or made.",
    scopes: anyAdmin,
    queryParameters: tenant,
    success: { description: "How many", content: { "application/json": "RestoredKeys" } },
    errors: [404, 409, ...common],
  },
  {
    method: "POST",
    path: "/admin/revocations",
    tag: "Admin",
    summary: "Revoke all credentials that a user or an org got before now",
    description:
      "All tokens and API keys that were issued before this moment. Tokens without `iat` are revoked for good.",
    scopes: anyAdmin,
    queryParameters: tenant,
    request: { schema: "RevocationRequest", example: { user: "alice" } },
    success: { description: "Done", content: { "application/json": "Revocation" } },
    errors: ofBody,
  },
  {
    method: "GET",
    path: "/admin/audit",
    tag: "Admin",
    summary: "List what admins changed, newest first",
    description:
      "Append-only. Each entry's hash covers the one before it; `broken_at` tells where a page was tampered with.",
    scopes: anyAdmin,
    queryParameters: { ...tenant, ...paging },
    success: { description: "A page of entries", content: { "application/json": "AuditPage" } },
    errors: [400, 404, ...common],
  },
  {
    method: "GET",
    path: "/admin/fleet",
    tag: "Admin",
    summary: "Get the state of the fleet: clusters, replicas, breakers, leases, queues",
    description:
      "As each cluster's pool sees it now; for a cluster without a pool, only what the fleet file says.",
    scopes: platformAdminOnly,
    success: { description: "The fleet", content: { "application/json": "FleetReport" } },
    errors: [...common],
  },
  {
    method: "POST",
    path: "/admin/fleet",
    tag: "Admin",
    summary: "Drain, disable, enable or weight a replica; let one join or leave",
    description:
      "Known to every isolate with traffic within some five seconds, and kept until it is changed back. A change is in the audit " +
      "log; a heartbeat is none. docs/autoscaling.md has examples.",
    scopes: platformAdminOnly,
    request: {
      schema: "FleetChange",
      example: { action: "drain", cluster: "us-east", replica: "us-east-1" },
    },
    success: { description: "Done", content: { "application/json": "FleetChanged" } },
    errors: ofBody,
  },
  {
    method: "GET",
    path: "/admin/limits",
    tag: "Admin",
    summary: "Get the limits in force, and the state of a user's or an org's bucket",
    description:
      "For each tier, as configured or by default, with the most of each limit that loans to isolates can leave unused. docs/limits.md explains.",
    scopes: anyAdmin,
    queryParameters: {
      tenant: "Whose. Left out: your own tenant; the platform's admins must name one.",
      user: "A user whose bucket is to be shown too.",
      org: "Or an org.",
      tier: "Under which tier's limits: `free`, if left out, `pro` or `enterprise`.",
    },
    success: { description: "The limits", content: { "application/json": "LimitsReport" } },
    errors: [400, 404, 409, ...common],
  },
  {
    method: "GET",
    path: "/admin/usage",
    tag: "Admin",
    summary: "Get what a tenant's orgs used, by day, org and model",
    description:
      "Exact up to a minute ago, kept for 400 days. Days are the tenant's own, in its time zone. Each line is one group's total; `total` " +
      "is of the whole range.",
    scopes: anyAdmin,
    queryParameters: {
      tenant: "Whose. Left out: your own tenant; the platform's admins must name one.",
      from: "The first date, such as `2026-11-01`. Left out: the first of this month.",
      until: "The day after the last one. Left out: tomorrow.",
      group_by:
        "Some of `date`, `org`, `model`, with commas between; `date,model` if left out, one total if empty.",
      org: "Only this org's.",
      model: "Only this model's.",
      limit: "1 to 1000 lines; 100 if left out.",
      after: "`next_after` of the page before.",
    },
    success: { description: "A page of totals", content: { "application/json": "TenantUsage" } },
    errors: [400, 404, 409, ...common],
  },
  {
    method: "GET",
    path: "/admin/tenants",
    tag: "Admin",
    summary: "List the tenants",
    scopes: platformAdminOnly,
    queryParameters: paging,
    success: { description: "A page of tenants", content: { "application/json": "TenantList" } },
    errors: [400, ...common],
  },
  {
    method: "GET",
    path: "/admin/tenants/{id}",
    tag: "Admin",
    summary: "Get a tenant's configuration",
    scopes: anyAdmin,
    pathParameters: { id: "The tenant's id." },
    success: { description: "Its configuration", content: { "application/json": "TenantConfiguration" } },
    errors: [404, 409, ...common],
  },
  {
    method: "PUT",
    path: "/admin/tenants/{id}",
    tag: "Admin",
    summary: "Create or replace a tenant",
    description:
      "Checked as `npm run tenant` checks it. In effect everywhere after a minute or two. 409: somebody else is changing it.",
    scopes: platformAdminOnly,
    pathParameters: { id: "The tenant's id." },
    request: {
      schema: "TenantConfiguration",
      example: {
        id: "acme",
        hosts: ["chat.acme.example"],
        issuers: [
          {
            issuer: "https://login.acme.example/",
            audience: "https://chat.acme.example",
            algorithms: ["RS256"],
            keys: { type: "jwks_url", url: "https://login.acme.example/.well-known/jwks.json" },
          },
        ],
        keys: { tiers: ["pro"], scopes: ["tenant:admin"] },
      },
    },
    success: {
      description: "Its configuration as written",
      content: { "application/json": "TenantConfiguration" },
    },
    errors: ofBody,
  },
  {
    method: "DELETE",
    path: "/admin/tenants/{id}",
    tag: "Admin",
    summary: "Delete a tenant, and revoke its keys",
    description:
      "What it and its users keep is erased: conversations and stored answers, also in the archive, files and vector stores, what the semantic " +
      "cache knows. It may take a while until all of it is; what stays is in docs/storage.md. Of one that `npm run tenant -- delete` took out of the configuration alone, " +
      "what that left is erased.",
    scopes: platformAdminOnly,
    pathParameters: { id: "The tenant's id." },
    success: { description: "Gone", content: { "application/json": "TenantDeleted" } },
    errors: [404, 409, ...common],
  },
  ...erasureRoutes,
];
