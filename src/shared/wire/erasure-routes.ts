/** The routes by which an admin erases a user's or a tenant's data (admin-routes.ts). */
import type * as z from "zod";
import { historyErasedSchema, knowledgeErasedSchema, semanticCacheErasedSchema } from "./admin-requests.ts";
import type { PublicRoute } from "./public-route.ts";
import { anyAdmin } from "./scopes.ts";

export const erasureSchemas = {
  SemanticCacheErased: semanticCacheErasedSchema,
  HistoryErased: historyErasedSchema,
  KnowledgeErased: knowledgeErasedSchema,
} satisfies Record<string, z.ZodType>;

const tenant = "Whose. Left out: your own tenant; the platform's admins must name one.";
const errors = [400, 401, 403, 404, 409, 429, 503] as const;

export const erasureRoutes: readonly PublicRoute[] = [
  {
    method: "DELETE",
    path: "/admin/semantic_cache",
    tag: "Admin",
    summary: "Erase entries of the semantic cache",
    description:
      "Of one user, or of the whole tenant, where `cache.semantic` was on. Stored answers end by their own time; docs/semantic-cache.md " +
      "says what is held.",
    scopes: anyAdmin,
    queryParameters: {
      tenant,
      user: "One user of it. Left out: all.",
    },
    success: { description: "Erased", content: { "application/json": "SemanticCacheErased" } },
    errors,
  },
  {
    method: "DELETE",
    path: "/admin/history",
    tag: "Admin",
    summary: "Erase conversations and stored answers",
    description:
      "Of one user, or of the tenant and all its users, also in the archive. Nothing of them is listed any more; who was erased may go on at once. " +
      "The platform's admins can name a tenant that is gone, as well.",
    scopes: anyAdmin,
    queryParameters: {
      tenant,
      user: "One user of it. Left out: all.",
    },
    success: { description: "Erased", content: { "application/json": "HistoryErased" } },
    errors,
  },
  {
    method: "DELETE",
    path: "/admin/knowledge",
    tag: "Admin",
    summary: "Erase files, vector stores and batches",
    description:
      "Of one user, or of the tenant and all its users. Nothing of them is found any more; who was erased may upload again at once.",
    scopes: anyAdmin,
    queryParameters: {
      tenant,
      user: "One user of it. Left out: all, and what is the whole tenant's.",
    },
    success: { description: "Erased", content: { "application/json": "KnowledgeErased" } },
    errors,
  },
];
