import { env } from "cloudflare:workers";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import demo from "../../config/tenants/demo.json";
import {
  type Exposition,
  parseExposition,
} from "../../src/shared/telemetry/metrics/parse-exposition-fixture.ts";
import type { RequestRecord } from "../../src/shared/telemetry/request-record.ts";
import { bearer, post, putTenant, send, settled } from "./edge-under-test.ts";
import { fakeEngine } from "./fake-engine.ts";
import { platformToken } from "./admin-fixture.ts";
import { eventually } from "./eventually.ts";

/** Aliases that choose, through the Worker as it ships: what is routed where, what is told of it, and that a shadow is none of it. */
const logged: RequestRecord[] = [];
/** Hosts that a model was asked at, in order, each with the body's model. */
const asked: string[] = [];
/** Headers of everything that went out, to any host. */
const sentHeaders: Headers[] = [];
/** What the shadow's server does; well unless a test says otherwise. */
let shadowBehaviour: (() => Promise<Response>) | null = null;

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
      if (host === "two.test" && shadowBehaviour !== null) return shadowBehaviour();
    }
    return fakeEngine(`http://${host}${pathname}`, init);
  });
  vi.spyOn(console, "log").mockImplementation((text: unknown) => {
    for (const line of String(text).split("\n")) {
      const entry = JSON.parse(line) as RequestRecord & { event: string };
      if (entry.event === "request") logged.push(entry);
    }
  });
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});
afterAll(() => void vi.restoreAllMocks());

async function chat(user: string, model: string, content: string, more: object = {}, scope = "route:read") {
  const authorization = await bearer("demo", user, { tier: "pro", scope });
  return post("/v1/chat/completions", authorization, {
    model,
    max_tokens: 40,
    messages: [{ role: "user", content }],
    ...more,
  });
}

async function scrape(): Promise<Exposition> {
  const response = await send("/metrics", {
    headers: { authorization: `Bearer ${await platformToken("platform:metrics", "prometheus")}` },
  });
  expect(response.status).toBe(200);
  return parseExposition(await response.text());
}

/** Tokens and requests as the user's bucket has charged them. */
async function charged(user: string): Promise<{ readonly tokens: number; readonly requests: number }> {
  const response = await send("/v1/usage", {
    headers: { authorization: await bearer("demo", user, { tier: "pro" }) },
  });
  const { user: shown } = (await response.json()) as {
    readonly user: { readonly used: { tokens: number; requests: number } };
  };
  return shown.used;
}

test("outcomes by arm equal the usage records: in the log, in the metrics, and in what users are charged", async () => {
  const users = Array.from({ length: 24 }, (_, at) => `arm-user-${at}`);
  // Where the machine is slow, a bucket may be too: what was refused has no arm and no tokens, and is asked for again.
  const answered = async (ask: () => Promise<Response>): Promise<Response> => {
    const response = await eventually(async () => {
      const tried = await ask();
      expect(tried.status).toBe(200);
      return tried;
    });
    await response.text();
    return response;
  };
  for (const [at, user] of users.entries()) {
    await Promise.all([
      answered(() => chat(user, "split", `tokens=${1 + (at % 7)}`)),
      answered(() => chat(user, "split", `tokens=${2 + (at % 5)}`, { stream: true })),
    ]);
  }
  await settled();
  const split = () => logged.filter(({ alias }) => alias === "split");
  await eventually(() => expect(split()).toHaveLength(48));
  const records = split();
  const metrics = await scrape();
  for (const arm of ["a", "b"]) {
    const mine = records.filter((one) => one.arm === arm);
    expect(mine.length).toBeGreaterThan(8);
    expect(new Set(mine.map(({ model }) => model))).toEqual(new Set([arm === "a" ? "small" : "large"]));
    const sum = (field: "promptTokens" | "completionTokens") =>
      mine.reduce((total, one) => total + one[field], 0);
    const labels = { alias: "split", arm };
    expect(metrics.sum("edgewise_route_requests_total", labels)).toBe(mine.length);
    expect(metrics.sum("edgewise_route_prompt_tokens_total", labels)).toBe(sum("promptTokens"));
    expect(metrics.sum("edgewise_route_generated_tokens_total", labels)).toBe(sum("completionTokens"));
  }
  // Each user has one arm, and is charged what its records say.
  const tokensOf = (one: RequestRecord) => one.promptTokens + one.completionTokens;
  let inBuckets = 0;
  for (const user of users) inBuckets += (await charged(user)).tokens;
  expect(inBuckets).toBe(records.reduce((total, one) => total + tokensOf(one), 0));
  const again = await Promise.all(users.map((user) => answered(() => chat(user, "split", "once more"))));
  for (const [at, response] of again.entries()) {
    const arm = /arm="(\w)"/.exec(response.headers.get("x-edgewise-route") ?? "")?.[1];
    // Two records a user, in the order of the users.
    expect(records.slice(2 * at, 2 * at + 2).map((one) => one.arm)).toEqual([arm, arm]);
  }
  await settled();
}, 120_000);

test("the header tells alias, model, target, arm and reason to callers with route:read or platform:admin, and to no other", async () => {
  const told = await chat("ann", "thrifty", "Prove that the square root of 2 is irrational and explain why.");
  expect(told.headers.get("x-edgewise-route")).toBe(
    'alias="thrifty", model="large", target="one/r", arm="strong", reason="difficult"',
  );
  for (const scope of ["", "tenant:admin"]) {
    const response = await chat("ann", "thrifty", "Hi", {}, scope);
    expect(response.status).toBe(200);
    expect(response.headers.get("x-edgewise-route")).toBeNull();
  }
  const own = await chat("ann", "small", "Hi");
  expect(own.headers.get("x-edgewise-route")).toBe('model="small", target="one/r"');
  await settled();
  expect(logged.at(-1)).not.toHaveProperty("alias");
});

test("a plain alias whose first model is down is answered by its second, and says so", async () => {
  const response = await chat("ann", "plain", "Hi", { stream: true });
  expect(response.headers.get("x-edgewise-route")).toBe(
    'alias="plain", model="small", target="one/r", reason="fallback"',
  );
  await response.text();
  await settled();
});

test("a durable turn keeps the header for who may see it, and hides it from the user's other credentials", async () => {
  const more = { store: true, stream: true };
  const told = await chat("dora", "thrifty", "tokens=3", more);
  expect(told.headers.get("x-edgewise-route")).toContain('arm="cheap", reason="easy"');
  const id = told.headers.get("x-edgewise-response-id") ?? "";
  await told.text();
  for (const [scope, shown] of [
    ["route:read", true],
    ["", false],
  ] as const) {
    const again = await send(`/v1/chat/completions/${id}?stream=true&starting_after=0`, {
      headers: { authorization: await bearer("demo", "dora", { tier: "pro", scope }) },
    });
    expect(again.status).toBe(200);
    expect(again.headers.has("x-edgewise-route")).toBe(shown);
    await again.text();
  }
  await settled();
});

test("the sides of a cost alias share no cached answer, and a hit tells its side", async () => {
  const easy = () => chat("ann", "thrifty", "What is the capital of Peru?", { temperature: 0 });
  await (await easy()).text();
  await settled();
  const hit = await easy();
  expect(hit.headers.get("cache-status")).toContain("hit");
  expect(hit.headers.get("x-edgewise-route")).toBe(
    'alias="thrifty", model="small", arm="cheap", reason="easy"',
  );
  // The same words for a longer answer are escalated: another model's answer.
  const long = await chat("ann", "thrifty", "What is the capital of Peru?", {
    temperature: 0,
    max_tokens: 5000,
  });
  expect(long.headers.get("cache-status")).not.toContain("hit;");
  expect(long.headers.get("x-edgewise-route")).toContain('model="large"');
  await settled();
});

test("a client names no host and no header of an origin, whatever it sends", async () => {
  asked.length = 0;
  sentHeaders.length = 0;
  const authorization = await bearer("demo", "mallory", { tier: "pro" });
  const hostile = {
    host: "evil.test",
    "x-forwarded-host": "evil.test",
    forwarded: "host=evil.test",
    "x-edgewise-dispatch": '{"clusters":["two"]}',
    "cf-access-client-id": "mine",
    "cf-access-client-secret": "mine",
    "x-edgewise-route": 'model="spare"',
  };
  const ask = (body: object) =>
    send("/v1/chat/completions", {
      method: "POST",
      headers: { authorization, "content-type": "application/json", ...hostile },
      body: JSON.stringify({ model: "small", messages: [{ role: "user", content: "Hi" }], ...body }),
    });
  expect((await ask({})).status).toBe(200);
  for (const field of ["base_url", "url", "host", "clusters", "cluster", "replica", "route", "arm"])
    expect((await ask({ [field]: "http://evil.test" })).status).toBe(400);
  expect((await ask({ model: "http://evil.test/v1" })).status).toBe(404);
  await settled();
  expect(asked).toEqual(["one.test SMALL"]);
  for (const headers of sentHeaders)
    for (const [name, value] of headers) {
      expect(value).not.toContain("evil");
      expect([...Object.keys(hostile), "authorization"]).not.toContain(name);
    }
});

const silent = () => new Promise<Response>(() => undefined);

test.each([
  ["well", null],
  ["refusing connections", () => Promise.reject(new TypeError("connection refused"))],
  ["answering 500", () => Promise.resolve(new Response("oops", { status: 500 }))],
  ["answering 429", () => Promise.resolve(new Response("{}", { status: 429 }))],
  ["answering no event stream", () => Promise.resolve(new Response("<html>"))],
  ["hanging", silent],
  [
    "silent after its first event",
    () => {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const writer = writable.getWriter();
      void writer.write(new TextEncoder().encode('data: {"id":"x","choices":[]}\n\n')).catch(() => undefined);
      return Promise.resolve(new Response(readable, { headers: { "content-type": "text/event-stream" } }));
    },
  ],
] as const)("a shadow that is %s neither delays, fails nor bills a turn", async (state, behaviour) => {
  shadowBehaviour = behaviour;
  const user = `shadowed-${state.replaceAll(" ", "-")}`;
  for (const stream of [false, true]) {
    asked.length = 0;
    const response = await chat(user, "shadowed", "tokens=4", { stream });
    expect(response.status).toBe(200);
    // The answer is in hand and whole while the shadow still hangs.
    const text = await response.text();
    expect(text).toContain("x");
    if (stream) expect(text).toContain("[DONE]");
    expect(asked[0]).toBe("one.test SMALL");
    await eventually(() => expect(asked).toEqual(["one.test SMALL", "two.test SPARE"]));
  }
  // 11 tokens of prompt and 4 of answer, twice, at the answering model's price: the shadow's is a thousand times that.
  await eventually(async () => expect(await charged(user)).toMatchObject({ tokens: 30, requests: 2 }));
  shadowBehaviour = null;
});

test("a shadow that is slow is waited for by nobody, and then counted", async () => {
  const gate = Promise.withResolvers<void>();
  shadowBehaviour = async () => {
    await gate.promise;
    return fakeEngine("http://two.test/v1/chat/completions", {
      body: JSON.stringify({ stream: true, model: "SPARE", messages: [{ content: "tokens=6" }] }),
    });
  };
  const response = await chat("slow", "split-shadowed", "tokens=2", { stream: true });
  expect(await response.text()).toContain("[DONE]");
  await eventually(async () => expect(await charged("slow")).toMatchObject({ tokens: 13, requests: 1 }));
  gate.resolve();
  shadowBehaviour = null;
  const labels = { alias: "split-shadowed", model: "spare" };
  await eventually(async () => {
    // Its numbers leave with the next record.
    await (await chat("slow", "small", "Hi")).text();
    const metrics = await scrape();
    expect(metrics.sum("edgewise_shadow_requests_total", { ...labels, result: "answered" })).toBe(1);
    expect(metrics.sum("edgewise_shadow_generated_tokens_total", labels)).toBe(6);
  });
});

test("no user ever hears of a shadow: its model is in no record, no answer and no bill", async () => {
  expect(logged.filter(({ model }) => model === "spare")).toEqual([]);
  const metrics = await scrape();
  expect(metrics.sum("edgewise_requests_total", { model: "spare" })).toBe(0);
  expect(metrics.sum("edgewise_shadow_requests_total", { alias: "shadowed", result: "answered" })).toBe(2);
});
