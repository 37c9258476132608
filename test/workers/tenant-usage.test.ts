import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { bucketStub } from "../../durable-objects/token-bucket/bucket-stub.ts";
import { bucketName } from "../../src/shared/limits/bucket-name.ts";
import { tenantUsageSchema } from "../../src/shared/wire/usage-responses.ts";
import { farFromMidnight } from "./far-from-midnight.ts";
import { ask, newTenant, platformToken, type TestTenant } from "./admin-fixture.ts";
import { eventually } from "./eventually.ts";
import { fakeEngine } from "./fake-engine.ts";

/** `GET /admin/usage` through the Worker as it ships. */
beforeAll(() => {
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => fakeEngine(new Request(input).url, init));
  vi.spyOn(console, "log").mockImplementation(() => undefined);
});
afterEach(() => void vi.useRealTimers());

/** @returns the tokens of the answer's usage */
async function chat(tenant: TestTenant, org: string): Promise<number> {
  const token = await tenant.token({ sub: "ann", tier: "pro", org });
  const { status, body } = await ask("POST", "/v1/chat/completions", token, {
    model: "auto",
    max_tokens: 20,
    messages: [{ role: "user", content: "hello" }],
  });
  expect(status).toBe(200);
  return (body["usage"] as { total_tokens: number }).total_tokens;
}

/** As within a minute: the orgs' buckets tell the book. */
async function book(tenant: TestTenant, orgs: readonly string[]): Promise<void> {
  for (const org of orgs) {
    const address = { name: bucketName(tenant.id, "org", org), jurisdiction: "none" } as const;
    await runDurableObjectAlarm(bucketStub(env.TOKEN_BUCKET, address, false));
  }
}

async function usage(credential: string, query: string) {
  const { status, body } = await ask("GET", `/admin/usage${query}`, credential);
  expect(status).toBe(200);
  return tenantUsageSchema.parse(body);
}

test("a tenant's admin sees what its orgs used, by day, org and model, to the token", async () => {
  // Noon in Tokyo: no day ends between two requests.
  const noonMs = Math.floor(Date.now() / 86_400_000) * 86_400_000 + 3 * 3_600_000;
  vi.useFakeTimers({ toFake: ["Date"], now: noonMs });
  const timeZone = farFromMidnight();
  const tenant = await newTenant({ time_zone: timeZone });
  const tokens = { red: await chat(tenant, "red"), blue: await chat(tenant, "blue") };
  tokens.blue += await chat(tenant, "blue");
  let report = await usage(tenant.admin, "?group_by=org");
  await eventually(async () => {
    await book(tenant, ["red", "blue"]);
    report = await usage(tenant.admin, "?group_by=org");
    expect(report.total).toMatchObject({ requests: 3, tokens: tokens.red + tokens.blue });
  });
  expect(report).toMatchObject({ tenant: tenant.id, time_zone: timeZone, has_more: false });
  expect(report.data).toMatchObject([
    { org: "blue", date: null, model: null, requests: 2, tokens: tokens.blue },
    { org: "red", date: null, model: null, requests: 1, tokens: tokens.red },
  ]);
  const cost = report.data.reduce((sum, line) => sum + line.cost_usd, 0);
  expect(report.total.cost_usd).toBeCloseTo(cost, 9);
  const byDay = await usage(tenant.admin, "");
  const today = new Intl.DateTimeFormat("en-CA", { timeZone });
  expect(byDay.data).toMatchObject([{ date: today.format(noonMs), org: null, requests: 3 }]);
  expect(byDay.data[0]?.model).not.toBeNull();
  const first = await usage(tenant.admin, "?group_by=org,date&limit=1");
  expect(first).toMatchObject({ has_more: true, data: [{ org: "blue" }] });
  const second = await usage(tenant.admin, `?group_by=org,date&limit=1&after=${first.next_after}`);
  expect(second).toMatchObject({ has_more: false, next_after: null, data: [{ org: "red" }] });
  expect(second.total).toEqual(first.total);
  const named = await usage(await platformToken(), `?tenant=${tenant.id}&group_by=&org=red`);
  expect(named.data).toMatchObject([{ requests: 1, tokens: tokens.red }]);
});

test("another tenant's usage is nobody's, and a question that makes no sense names its field", async () => {
  const [mine, theirs] = [await newTenant(), await newTenant()];
  const unknown = await ask("GET", "/admin/usage?tenant=no-such-tenant", mine.admin);
  expect(unknown.status).toBe(404);
  expect(await ask("GET", `/admin/usage?tenant=${theirs.id}`, mine.admin)).toEqual(unknown);
  const user = await mine.token({ sub: "ann" });
  expect(await ask("GET", "/admin/usage", user)).toMatchObject({ status: 403 });
  expect(await usage(mine.admin, "")).toMatchObject({ data: [], total: { requests: 0 } });
  for (const [query, param] of [
    ["from=2026-02-30", "from"],
    ["from=yesterday", "from"],
    ["from=2026-11-02&until=2026-11-02", "until"],
    ["group_by=date,user", "group_by"],
    ["group_by=date,date", "group_by"],
    ["limit=0", "limit"],
    ["limit=1001", "limit"],
    ["after=x", "after"],
    ["group_by=org&after=WzFd", "after"],
    ["org=", "org"],
    ["model=", "model"],
  ])
    expect(await ask("GET", `/admin/usage?${query}`, mine.admin)).toMatchObject({
      status: 400,
      body: { error: { code: "invalid_value", param } },
    });
  expect(await ask("GET", "/admin/usage", await platformToken())).toMatchObject({
    status: 400,
    body: { error: { param: "tenant" } },
  });
});
