/** KV is in every country: an answer of a tenant with a jurisdiction stays in the Cache API of the location that made it. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import devFleet from "../../config/fleet.dev.json";
import { bearer, post, settled } from "./edge-under-test.ts";
import { scriptedEdge } from "./scripted-edge.ts";
import { eventually } from "./eventually.ts";

const anywhere = "keeps-anywhere";
const atHome = "keeps-at-home";
scriptedEdge({ [anywhere]: {}, [atHome]: { jurisdiction: "eu" } });

beforeAll(async () => {
  const clusters = devFleet.clusters.map((cluster) => ({ ...cluster, jurisdiction: "eu" }));
  await env.CONFIG.put("fleet", JSON.stringify({ ...devFleet, clusters }));
});

/** Asks the same until it was found twice: a look-up that takes too long, as on a busy machine, is a miss. */
async function askUntilFound(tenant: string): Promise<void> {
  const authorization = await bearer(tenant, crypto.randomUUID());
  const ask = async (): Promise<string | null> => {
    const answer = await post("/v1/chat/completions", authorization, {
      model: "auto",
      temperature: 0,
      max_tokens: 100,
      messages: [{ role: "user", content: `hi from ${tenant}` }],
    });
    expect(await answer.text()).toContain("Hello there");
    await settled();
    return answer.headers.get("cache-status");
  };
  for (let time = 0; time < 2; time += 1)
    await eventually(async () => expect(await ask()).toMatch(/^edgewise; hit; /));
}

const keptInKv = async () => (await env.ANSWERS.list({ prefix: "exact/" })).keys.length;

test("an answer that is seen again goes to KV, and one of a tenant with a jurisdiction never", async () => {
  await askUntilFound(atHome);
  expect(await keptInKv()).toBe(0);
  await askUntilFound(anywhere);
  await expect.poll(keptInKv).toBe(1);
});
