import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { SignJWT } from "jose";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import demo from "../../config/tenants/demo.json";
import { bucketStub } from "../../durable-objects/token-bucket/bucket-stub.ts";
import { platformDefaults } from "../../src/shared/identity/platform-defaults.ts";
import { bucketName } from "../../src/shared/limits/bucket-name.ts";
import { shardCount, shardName } from "../../src/shared/telemetry/metrics/hub-protocol.ts";
import {
  type Exposition,
  parseExposition,
} from "../../src/shared/telemetry/metrics/parse-exposition-fixture.ts";
import type { RequestRecord } from "../../src/shared/telemetry/request-record.ts";
import worker from "../../workers/edge/index.ts";
import { fakeEngine } from "./fake-engine.ts";
import { collectRecords } from "./logged-records.ts";

/** The Worker as it ships, its objects, and what it logged; only the network behind it is ours. */
const logged: RequestRecord[] = [];
const contexts: ExecutionContext[] = [];

beforeAll(() => {
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => fakeEngine(new Request(input).url, init));
  collectRecords(logged);
  // Faults are wanted here, and are told: not on the test's own output.
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});
afterAll(() => void vi.restoreAllMocks());

async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const context = createExecutionContext();
  contexts.push(context);
  const request = new Request(`http://edgewise.test${path}`, init) as unknown as Parameters<
    typeof worker.fetch
  >[0];
  return worker.fetch(request, env, context);
}

async function settled(): Promise<void> {
  await Promise.all(contexts.splice(0).map((context) => waitOnExecutionContext(context)));
}

async function token(claims: Record<string, unknown>, platform = false): Promise<string> {
  const [issuer] = demo.issuers;
  if (issuer === undefined) throw new Error("the demo tenant has an issuer");
  const { DEMO_JWT_SECRET = "", PLATFORM_JWT_SECRET = "" } = env;
  const seconds = Math.floor(Date.now() / 1000);
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuer(platform ? platformDefaults.issuer : issuer.issuer)
    .setAudience(platform ? platformDefaults.audience : issuer.audience)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + 3600)
    .sign(new TextEncoder().encode(platform ? PLATFORM_JWT_SECRET : DEMO_JWT_SECRET));
}

async function scrape(): Promise<Exposition> {
  const bearer = await token({ sub: "prometheus", scope: "platform:metrics" }, true);
  const response = await send("/metrics", { headers: { authorization: `Bearer ${bearer}` } });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const parsed = parseExposition(await response.text());
  expect(parsed.sum("edgewise_metrics_shards_missing")).toBe(0);
  return parsed;
}

const users = ["ann", "bea", "cem", "dov"];

/** One of a thousand requests: what it is depends on its number alone. */
async function requestNumber(at: number, bearers: ReadonlyMap<string, string>): Promise<void> {
  const user = users[at % users.length] ?? "ann";
  const authorization = `Bearer ${bearers.get(user)}`;
  const chat = (content: string, more: object = {}, by = authorization, signal?: AbortSignal) =>
    send("/v1/chat/completions", {
      method: "POST",
      headers: { authorization: by, "content-type": "application/json" },
      body: JSON.stringify({
        model: "auto",
        max_tokens: 40,
        messages: [{ role: "user", content }],
        ...more,
      }),
      ...(signal === undefined ? {} : { signal }),
    });
  const tokens = `tokens=${1 + (at % 9)}`;
  const one = async (): Promise<Response> => {
    switch (at % 20) {
      case 0:
        return chat("not valid", { max_tokens: "many" });
      case 1:
        return chat("hello", {}, "Bearer a.b.c");
      case 2:
        return chat("hello", { model: `m-${at}` });
      case 3:
        return chat(`${at} cut`, { stream: true });
      case 4:
        return chat(`${at} empty`, { stream: true });
      case 5:
        return chat(`${at} reject`);
      case 6:
        return at % 100 === 6 ? chat(`${at} die`, { stream: true }) : chat(`${at} cut`);
      case 7:
        return chat(`the same ${tokens}`, { temperature: 0 });
      case 8:
        return chat(`${at} ${tokens}`);
      case 9:
        return chat(`${at} ${tokens}`, { model: "qwen3-reason", stream: true });
      case 10:
        return send("/v1/models", { headers: { authorization } });
      case 11:
        return send(`/v1/models/${at % 40 === 11 ? "auto" : `m-${at}`}`, { headers: { authorization } });
      case 12:
        return send(at % 40 === 12 ? "/health" : `/nowhere/${at}`);
      case 13:
        // Every other one is more than a minute of the free tier has.
        return chat(at % 40 === 13 ? "hello" : "a word ".repeat(40_000), {}, `Bearer ${bearers.get("free")}`);
      case 14:
        return send("/metrics", { headers: { authorization } });
      case 17:
      case 18:
      case 19:
        // Longer than what is written ahead of a client that has not read it yet.
        return chat(`${at} tokens=400`, { stream: true, max_tokens: 400 });
      default:
        return chat(`${at} ${tokens}`, { stream: true });
    }
  };
  const response = await one();
  if (at % 20 >= 17) {
    // The client leaves after the first bytes.
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
  } else await response.text().catch(() => "broken");
}

test(
  "1,000 mixed requests with faults: metrics, log and buckets tell the same sums, exactly",
  { timeout: 120_000 },
  async () => {
    const bearers = new Map<string, string>();
    for (const user of users) bearers.set(user, await token({ sub: user, tier: "enterprise" }));
    bearers.set("free", await token({ sub: "free", tier: "free" }));
    for (let from = 0; from < 1_000; from += 50)
      await Promise.all(Array.from({ length: 50 }, (_, at) => requestNumber(from + at, bearers)));
    await settled();
    const records = [...logged];
    const shown = await scrape();

    expect(records).toHaveLength(1_000);
    const total = (of: (record: RequestRecord) => number) =>
      records.reduce((sum, record) => sum + of(record), 0);
    const groups = <Key extends string>(keysOf: (record: RequestRecord) => Record<Key, string> | null) => {
      const counts = new Map<string, number>();
      for (const record of records) {
        const keys = keysOf(record);
        if (keys !== null) counts.set(JSON.stringify(keys), (counts.get(JSON.stringify(keys)) ?? 0) + 1);
      }
      return [...counts].map(([keys, count]) => [JSON.parse(keys) as Record<Key, string>, count] as const);
    };

    // The mixture is one: no kind of end is missing.
    const statuses = new Set(records.map(({ status }) => status));
    for (const status of [200, 400, 401, 403, 404, 429, 503]) expect(statuses).toContain(status);
    const endings = new Set(records.map(({ ending }) => ending));
    for (const ending of ["answered", "refused", "client-gone", "origin-error"])
      expect(endings).toContain(ending);

    // Metrics and log, label by label.
    expect(shown.sum("edgewise_requests_total")).toBe(1_000);
    for (const [labels, count] of groups(({ endpoint, model = "none", status }) => ({
      endpoint,
      model,
      status: String(status),
    })))
      expect([labels, shown.sum("edgewise_requests_total", labels)]).toEqual([labels, count]);
    for (const [labels, count] of groups(({ cache }) => (cache === undefined ? null : { result: cache })))
      expect([labels, shown.sum("edgewise_cache_total", labels)]).toEqual([labels, count]);
    for (const [labels, count] of groups(({ errorKind, ending }) => {
      if (errorKind !== undefined) return { class: errorKind };
      return ending === "answered" || ending === "stopped" ? null : { class: ending };
    }))
      expect([labels, shown.sum("edgewise_errors_total", labels)]).toEqual([labels, count]);
    for (const model of new Set(records.flatMap(({ model }) => model ?? []))) {
      const ofModel = (of: (record: RequestRecord) => number) =>
        total((record) => (record.model === model ? of(record) : 0));
      expect(shown.sum("edgewise_generated_tokens_total", { model })).toBe(
        ofModel((record) => record.completionTokens),
      );
      expect(shown.sum("edgewise_prompt_tokens_total", { model })).toBe(
        ofModel((record) => record.promptTokens),
      );
      expect(shown.sum("edgewise_time_to_first_token_seconds_count", { model })).toBe(
        ofModel(({ firstTokenMs }) => (firstTokenMs === undefined ? 0 : 1)),
      );
    }
    const microseconds = (seconds: number) => Math.round(seconds * 1_000_000);
    expect(microseconds(shown.sum("edgewise_request_duration_seconds_sum"))).toBe(
      total(({ durationMs }) => durationMs * 1000),
    );
    expect(shown.sum("edgewise_request_duration_seconds_bucket", { le: "+Inf" })).toBe(1_000);
    for (const stage of new Set(records.flatMap(({ stages }) => Object.keys(stages)))) {
      const times = records.flatMap(({ stages }) =>
        Object.entries(stages).filter(([name]) => name === stage),
      );
      expect(shown.sum("edgewise_stage_duration_seconds_count", { stage })).toBe(times.length);
      expect(microseconds(shown.sum("edgewise_stage_duration_seconds_sum", { stage }))).toBe(
        times.reduce((sum, [, ms]) => sum + ms * 1000, 0),
      );
    }

    // Metrics and buckets: every token that is shown was charged, to the org and to its users.
    const charged = async (scope: "user" | "org", id: string) => {
      const address = { name: bucketName(demo.id, scope, id), jurisdiction: "none" as const };
      return (await bucketStub(env.TOKEN_BUCKET, address, false).inspect([])).usage;
    };
    const org = await charged("org", demo.id);
    const shownTokens =
      shown.sum("edgewise_prompt_tokens_total") + shown.sum("edgewise_generated_tokens_total");
    expect(shownTokens).toBeGreaterThan(3_000);
    expect(org.settled.tokens).toBe(shownTokens);
    expect([org.reserved, org.unsettled, org.unaccounted].map(({ tokens }) => tokens)).toEqual([0, 0, 0]);
    const ofUsers = await Promise.all([...users, "free"].map((user) => charged("user", user)));
    expect(ofUsers.reduce((sum, { settled }) => sum + settled.tokens, 0)).toBe(shownTokens);
    const reached =
      shown.sum("edgewise_requests_total") - shown.sum("edgewise_requests_total", { model: "none" });
    expect(org.settled.requests).toBe(reached);
    expect(ofUsers.reduce((sum, { settled }) => sum + settled.requests, 0)).toBe(reached);
  },
);

test("a turn that ran in its own object is counted there, once", async () => {
  const before = await scrape();
  const authorization = `Bearer ${await token({ sub: "eve", tier: "pro" })}`;
  const response = await send("/v1/chat/completions", {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({
      model: "auto",
      max_tokens: 40,
      conversation_id: "metrics",
      messages: [{ role: "user", content: "tokens=6" }],
    }),
  });
  expect(response.status).toBe(200);
  await response.text();
  await settled();
  // The object has an isolate's second of its own.
  const turns = (shown: Exposition) =>
    shown.sum("edgewise_requests_total", { endpoint: "generation" }) -
    before.sum("edgewise_requests_total", { endpoint: "generation" });
  await expect.poll(async () => turns(await scrape())).toBe(1);
  const after = await scrape();
  const added = (...asked: Parameters<Exposition["sum"]>): number =>
    after.sum(...asked) - before.sum(...asked);
  expect(added("edgewise_generated_tokens_total")).toBe(6);
  // The request that waits for it reaches no engine by itself.
  const requests = "edgewise_requests_total";
  expect(added(requests, { endpoint: "/v1/chat/completions" })).toBe(1);
  expect(added(requests, { endpoint: "/v1/chat/completions", model: "none" })).toBe(1);
  for (const stage of ["dispatch", "stream", "object"])
    expect([stage, added("edgewise_stage_duration_seconds_count", { stage })]).toEqual([stage, 1]);
});

test("what any shard holds is in the sum", async () => {
  const before = await scrape();
  for (let shard = 0; shard < shardCount; shard += 1)
    await env.METRICS_HUB.getByName(shardName(shard)).deliver({
      v: 1,
      source: `elsewhere ${shard}`,
      acknowledge: "now",
      batches: [
        { sequence: 1, sums: [{ metric: "cache", series: [{ labels: "hit", values: [1 << shard] }] }] },
      ],
    });
  const hits = (shown: Exposition) => shown.sum("edgewise_cache_total", { result: "hit" });
  expect(hits(await scrape()) - hits(before)).toBe(255);
});

test("a tenant's credential, however powerful, does not open it; nor does a platform's without the scope", async () => {
  for (const bearer of [
    await token({ sub: "ann", tier: "enterprise", scope: "tenant:admin" }),
    await token({ sub: "admin", scope: "platform:admin" }, true),
  ]) {
    const response = await send("/metrics", { headers: { authorization: `Bearer ${bearer}` } });
    expect(response.status).toBe(403);
    await response.text();
  }
  const anonymous = await send("/metrics");
  expect(anonymous.status).toBe(401);
  await anonymous.text();
  await settled();
});
