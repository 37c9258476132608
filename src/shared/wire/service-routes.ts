/** The part of the route table (routes.ts) about the service itself: health, readiness, metrics, keys of receipts, documentation. */
import type { PublicRoute } from "./public-route.ts";

export const serviceRoutes: readonly PublicRoute[] = [
  {
    method: "GET",
    path: "/.well-known/edgewise-receipts.json",
    tag: "Service",
    summary: "Get the keys that verify usage receipts",
    scopes: null,
    success: { description: "A JWK set", content: { "application/json": "ReceiptKeys" } },
    errors: [],
  },
  {
    method: "GET",
    path: "/health",
    tag: "Service",
    summary: "Is this Worker alive?",
    scopes: null,
    success: { description: "Alive", content: { "application/json": "Health" } },
    errors: [],
  },
  {
    method: "GET",
    path: "/health/ready",
    tag: "Service",
    summary: "Can it serve: configuration, limits and a model behind every alias?",
    scopes: null,
    success: {
      description: "Ready; else 503, naming the part",
      content: { "application/json": "Readiness" },
    },
    errors: [503],
    errorSchema: "Readiness",
  },
  {
    method: "GET",
    path: "/metrics",
    tag: "Service",
    summary: "Metrics of the whole platform, for Prometheus",
    description:
      "Prometheus' text format. What each metric means is in docs/metrics.md. Needs a platform credential.",
    scopes: ["platform:metrics"],
    success: { description: "Every metric", content: { "text/plain": null } },
    errors: [401, 403, 503],
  },
  {
    method: "GET",
    path: "/openapi.json",
    tag: "Service",
    summary: "This description",
    scopes: null,
    success: { description: "An OpenAPI 3.1 document", content: { "application/json": null } },
    errors: [],
  },
  {
    method: "GET",
    path: "/docs",
    tag: "Service",
    summary: "The page that shows this description",
    scopes: null,
    success: { description: "A page", content: { "text/html": null } },
    errors: [],
  },
];
