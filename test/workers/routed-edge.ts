/** The edge with aliases that choose: their fleet, what each engine was asked, and what was told of it. */
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, expect, vi } from "vitest";
import demo from "../../config/tenants/demo.json";
import {
  type Exposition,
  parseExposition,
} from "../../src/shared/telemetry/metrics/parse-exposition-fixture.ts";
import type { RequestRecord } from "../../src/shared/telemetry/request-record.ts";
import { platformToken } from "./admin-fixture.ts";
import { bearer, post, putTenant, send } from "./edge-under-test.ts";
import { fakeEngine } from "./fake-engine.ts";
import { collectRecords } from "./logged-records.ts";

export const logged: RequestRecord[] = [];
/** Hosts that a model was asked at, in order, each with the body's model. */
export const asked: string[] = [];
/** Headers of everything that went out, to any host. */
export const sentHeaders: Headers[] = [];
/** What the shadow's server does; well unless a test says otherwise. */
export const shadowServer: { behaviour: (() => Promise<Response>) | null } = { behaviour: null };

const record = (id: string, price = 0) => ({
  id,
  served_name: id.toUpperCase(),
  context_window: 8192,
  price: { input: price, output: price },
});
const cluster = (id: string, models: readonly object[]) => ({
  id,
  region: id,
  replicas: [{ id: "r", url: `http://${id}.test` }],
  models,
});
const shadow = { model: "spare", share: 1, max_at_once: 16 };
const fleet = {
  version: "routes-1",
  clusters: [
    cluster("one", [record("small", 1), record("large", 2)]),
    cluster("two", [record("spare", 1000)]),
    cluster("gone", [record("down")]),
  ],
  aliases: {
    plain: { models: ["down", "small"] },
    split: {
      strategy: "weighted",
      arms: [
        { name: "a", model: "small", weight: 1 },
        { name: "b", model: "large", weight: 1 },
      ],
    },
    thrifty: { strategy: "cost", cheap: "small", strong: "large" },
    shadowed: { strategy: "shadow", model: "small", shadow },
    "split-shadowed": { models: ["small"], shadow },
  },
};

export function routedEdge(): void {
  beforeAll(async () => {
    await env.CONFIG.put("fleet", JSON.stringify(fleet));
    const [issuer] = demo.issuers;
    await putTenant("demo", {
      issuers: [{ ...issuer, grants: { ...issuer?.grants, scopes: ["tenant:admin", "route:read"] } }],
      cache: { exact: "deterministic", share: "tenant" },
    });
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const { host, pathname } = new URL(new Request(input).url);
      if (host === "gone.test") throw new TypeError("connection refused");
      sentHeaders.push(new Headers(init?.headers));
      if (typeof init?.body === "string") {
        asked.push(`${host} ${(JSON.parse(init.body) as { model: string }).model}`);
        if (host === "two.test" && shadowServer.behaviour !== null) return shadowServer.behaviour();
      }
      return fakeEngine(`http://${host}${pathname}`, init);
    });
    collectRecords(logged);
    vi.spyOn(console, "error").mockImplementation(() => undefined);
  });
  afterAll(() => void vi.restoreAllMocks());
}

export async function chat(
  user: string,
  model: string,
  content: string,
  more: object = {},
  scope = "route:read",
) {
  const authorization = await bearer("demo", user, { tier: "pro", scope });
  return post("/v1/chat/completions", authorization, {
    model,
    max_tokens: 40,
    messages: [{ role: "user", content }],
    ...more,
  });
}

export async function scrape(): Promise<Exposition> {
  const response = await send("/metrics", {
    headers: { authorization: `Bearer ${await platformToken("platform:metrics", "prometheus")}` },
  });
  expect(response.status).toBe(200);
  return parseExposition(await response.text());
}

/** Tokens and requests as the user's bucket has charged them. */
export async function charged(user: string): Promise<{ readonly tokens: number; readonly requests: number }> {
  const response = await send("/v1/usage", {
    headers: { authorization: await bearer("demo", user, { tier: "pro" }) },
  });
  const { user: shown } = (await response.json()) as {
    readonly user: { readonly used: { tokens: number; requests: number } };
  };
  return shown.used;
}
