import { beforeAll, expect, test, vi } from "vitest";
import { limitsReportSchema, usageReportSchema } from "../../src/shared/wire/usage-responses.ts";
import { ask, newTenant, platformToken, type Json } from "./admin-fixture.ts";
import { fakeEngine } from "./fake-engine.ts";
import { eventually } from "./eventually.ts";
import { farFromMidnight } from "./far-from-midnight.ts";

/** Limits as clients and admins see them, through the Worker as it ships. */
beforeAll(() => {
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => fakeEngine(new Request(input).url, init));
  vi.spyOn(console, "log").mockImplementation(() => undefined);
});

const limits = {
  requests_per_day: 3,
  concurrent_requests: 2,
  tokens_per_month: 2_000,
  cost_per_month_usd: 0.5,
};

function chat(credential: string, more: Json = {}) {
  return ask("POST", "/v1/chat/completions", credential, {
    model: "auto",
    max_tokens: 20,
    messages: [{ role: "user", content: "hello" }],
    ...more,
  });
}

interface Shown {
  readonly name: string;
  readonly used: number;
  readonly remaining: number;
  readonly limit: number;
  readonly reset_ms: number;
}

function limitNamed(scope: unknown, name: string): Shown {
  const found = (scope as { limits: Shown[] }).limits.find((limit) => limit.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

test("GET /v1/usage shows every limit, what is used of it, and tokens and cost by model", async () => {
  const timeZone = farFromMidnight();
  const tenant = await newTenant({ time_zone: timeZone, limits: { user: { pro: limits } } });
  const token = await tenant.token({ sub: "ann", tier: "pro" });
  const answered = await chat(token);
  expect(answered.status).toBe(200);
  const { total_tokens: tokens } = answered.body["usage"] as { total_tokens: number };
  // Each bucket hears of it by itself.
  const settled = {
    used: { requests: 1, tokens },
    reserved: { requests: 0, tokens: 0, concurrent_requests: 0 },
  };
  await eventually(async () => {
    const { body } = await ask("GET", "/v1/usage", token);
    expect(body).toMatchObject({ user: settled, org: settled });
  });
  const { body } = await ask("GET", "/v1/usage", token);
  const report = usageReportSchema.parse(body);
  expect(report).toMatchObject({ tier: "pro", time_zone: timeZone });
  expect(limitNamed(report.user, "requests_per_day")).toMatchObject({ limit: 3, used: 1, remaining: 2 });
  expect(limitNamed(report.user, "tokens_per_month")).toMatchObject({ used: tokens, limit: 2_000 });
  expect(limitNamed(report.user, "concurrent_requests")).toMatchObject({ used: 0, remaining: 2 });
  const cost = limitNamed(report.user, "cost_per_month_usd");
  expect(cost.limit).toBe(0.5);
  expect(report.user.models).toMatchObject([{ requests: 1, tokens, cost_usd: cost.used }]);
  expect(report.org.models).toEqual(report.user.models);
  const dayMs = limitNamed(report.user, "requests_per_day").reset_ms;
  expect(dayMs).toBeLessThanOrEqual(25 * 3_600_000);
});

test("the quota that is used up is named with its reset, and is not to be tried again by itself", async () => {
  const tenant = await newTenant({ limits: { user: { pro: limits } } });
  const token = await tenant.token({ sub: "bob", tier: "pro" });
  for (let times = 0; times < 3; times += 1) expect((await chat(token)).status).toBe(200);
  const refused = await chat(token);
  expect(refused).toMatchObject({ status: 429, body: { error: { code: "insufficient_quota" } } });
  expect((refused.body["error"] as { message: string }).message).toMatch(
    /requests_per_day of your user is 3 requests, 0 left\..* whole again in \d+[hm]/,
  );
});

test("too long an answer is told what would fit, and that then is let in", async () => {
  const tenant = await newTenant({ limits: { user: { pro: { ...limits, requests_per_day: null } } } });
  const token = await tenant.token({ sub: "cy", tier: "pro" });
  const messages = [{ role: "user", content: "a word ".repeat(700) }];
  const refused = await chat(token, { messages, n: 8, max_tokens: 500 });
  expect(refused.status).toBe(429);
  const [, fits = ""] =
    /The largest max_tokens that fits now is (\d+)\./.exec(
      (refused.body["error"] as { message: string }).message,
    ) ?? [];
  expect(Number(fits)).toBeGreaterThan(0);
  expect((await chat(token, { messages, n: 8, max_tokens: Number(fits) })).status).toBe(200);
});

test("GET /admin/limits shows a tenant's limits and the most that loans can leave unused", async () => {
  const tenant = await newTenant({ limits: { user: { pro: limits } } });
  const { status, body } = await ask("GET", "/admin/limits", tenant.admin);
  expect(status).toBe(200);
  const report = limitsReportSchema.parse(body);
  expect(report.tenant).toBe(tenant.id);
  expect(report.tiers["pro"]?.user.find(({ name }) => name === "requests_per_day")).toMatchObject({
    limit: 3,
    refill: "every day",
    largest_loan: 0,
    most_left_unused_by_loans: 0,
  });
  expect(report.tiers["enterprise"]?.user.find(({ name }) => name === "requests_per_minute")).toMatchObject({
    limit: 6_000,
    refill: "steadily, in 1 min",
    largest_loan: 120,
    most_left_unused_by_loans: 1_200,
  });
  expect(report.tiers["pro"]?.org.find(({ name }) => name === "requests_per_minute")).toMatchObject({
    largest_loan: 60,
    most_left_unused_by_loans: 600,
    most_in_one_region: 64,
  });
  expect(report.bucket).toBeUndefined();
  const platform = await ask("GET", `/admin/limits?tenant=${tenant.id}`, await platformToken());
  expect(platform).toEqual({ status: 200, body });
});

test("a user's or an org's bucket is shown to its tenant's admin, and to no other", async () => {
  const tenant = await newTenant({ limits: { user: { pro: limits } } });
  const token = await tenant.token({ sub: "dee", tier: "pro" });
  await chat(token);
  for (const query of [`user=dee&tier=pro`, `org=${tenant.id}&tier=pro`]) {
    const { status, body } = await ask("GET", `/admin/limits?${query}`, tenant.admin);
    expect(status).toBe(200);
    const { bucket } = limitsReportSchema.parse(body);
    expect(limitNamed(bucket, "requests_per_day").used).toBe(1);
    expect(bucket).toMatchObject({ lent: { requests: 0 }, tier: "pro" });
  }
  const stranger = await newTenant();
  expect((await ask("GET", `/admin/limits?tenant=${tenant.id}`, stranger.admin)).status).toBe(404);
  expect((await ask("GET", "/admin/limits", token)).status).toBe(403);
});

test.each([
  ["user=a&org=b", "org"],
  ["user=", "user"],
  ["tier=gold", "tier"],
])("what can't be meant is refused: %s", async (query, param) => {
  const tenant = await newTenant();
  expect(await ask("GET", `/admin/limits?${query}`, tenant.admin)).toMatchObject({
    status: 400,
    body: { error: { param } },
  });
});

test("the platform's admin must say whose", async () => {
  expect(await ask("GET", "/admin/limits", await platformToken())).toMatchObject({
    status: 400,
    body: { error: { param: "tenant" } },
  });
});
