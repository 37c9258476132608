/** Aliases that choose, through the Worker as it ships: what is routed where, and what is told of it. */
import { expect, test } from "vitest";
import type { RequestRecord } from "../../src/shared/telemetry/request-record.ts";
import { bearer, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { asked, charged, chat, logged, routedEdge, scrape, sentHeaders } from "./routed-edge.ts";

routedEdge();

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
  // A look-up that takes too long, as on a busy machine, is a miss.
  const hit = await eventually(async () => {
    const answered = await easy();
    await answered.text();
    expect(answered.headers.get("cache-status")).toContain("hit");
    return answered;
  });
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
