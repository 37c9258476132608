/** KV is in every country: an answer of a tenant with a jurisdiction stays in the Cache API of the location that made it. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import devFleet from "../../config/fleet.dev.json";
import { bearer, post, settled } from "./edge-under-test.ts";
import { scriptedEdge } from "./scripted-edge.ts";

const anywhere = "keeps-anywhere";
const atHome = "keeps-at-home";
scriptedEdge({ [anywhere]: {}, [atHome]: { jurisdiction: "eu" } });

beforeAll(async () => {
  const clusters = devFleet.clusters.map((cluster) => ({ ...cluster, jurisdiction: "eu" }));
  await env.CONFIG.put("fleet", JSON.stringify({ ...devFleet, clusters }));
});

async function askThrice(tenant: string): Promise<string> {
  const authorization = await bearer(tenant, crypto.randomUUID());
  let said: string | null = null;
  for (let time = 0; time < 3; time += 1) {
    const answer = await post("/v1/chat/completions", authorization, {
      model: "auto",
      temperature: 0,
      max_tokens: 100,
      messages: [{ role: "user", content: `hi from ${tenant}` }],
    });
    expect(await answer.text()).toContain("Hello there");
    said = answer.headers.get("cache-status");
    await settled();
  }
  return String(said);
}

const keptInKv = async () => (await env.ANSWERS.list({ prefix: "exact/" })).keys.length;

test("an answer that is seen again goes to KV, and one of a tenant with a jurisdiction never", async () => {
  expect(await askThrice(atHome)).toMatch(/^edgewise; hit; /);
  expect(await keptInKv()).toBe(0);
  expect(await askThrice(anywhere)).toMatch(/^edgewise; hit; /);
  await expect.poll(keptInKv).toBe(1);
});
