import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { bearer, post, settled } from "./edge-under-test.ts";
import { scriptedEdge } from "./scripted-edge.ts";

scriptedEdge({ ready: {} });

const body = { model: "auto", max_tokens: 50, store: true, messages: [{ role: "user", content: "Hi" }] };

test("a durable turn has the next one's object started, which holds an alarm alone until a turn claims it", async () => {
  const prepared: string[] = [];
  const original = env.GENERATION.getByName.bind(env.GENERATION);
  vi.spyOn(env.GENERATION, "getByName").mockImplementation((name) => {
    prepared.push(name);
    return original(name);
  });
  const authorization = await bearer("ready", "user");
  const idOf = async (): Promise<string> => {
    const response = await post("/v1/chat/completions", authorization, body);
    await response.text();
    await settled();
    return response.headers.get("x-edgewise-response-id") ?? "";
  };
  const first = await idOf();
  const [own, next = ""] = prepared;
  expect(first).toContain(own);
  expect(next).toHaveLength(27);
  await runInDurableObject(original(next), async (_object, { storage }) => {
    expect([...storage.kv.list()]).toEqual([]);
    expect(await storage.getAlarm()).toBeGreaterThan(0);
  });
  expect(await idOf()).toContain(next);
  const last = original(prepared.at(-1) ?? "");
  expect(await runDurableObjectAlarm(last)).toBe(true);
  await runInDurableObject(last, async (_object, { storage }) => {
    expect([...storage.kv.list()]).toEqual([]);
    expect(await storage.getAlarm()).toBeNull();
  });
});
