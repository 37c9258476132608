/** Stored answers that are asked for as a stream when the events are gone that they came as. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { changeStored } from "./generation-probe.ts";
import { scriptedEdge } from "./scripted-edge.ts";
import { eventually } from "./eventually.ts";

scriptedEdge({ replays: {} });

test.for([
  {
    path: "/v1/chat/completions",
    body: { model: "auto", max_tokens: 50, store: true, messages: [{ role: "user", content: "Hi" }] },
    told: ['"content":"Hello there"', '"finish_reason":"stop"', "data: [DONE]"],
  },
  {
    path: "/v1/responses",
    body: { model: "auto", max_output_tokens: 50, input: "Hi" },
    told: ["event: response.created", '"delta":"Hello there"', "event: response.completed"],
  },
])(
  "an answer of $path is told as a stream also ten minutes after its end, from its beginning",
  async ({ path, body, told }) => {
    const authorization = await bearer("replays", `of${path.length}`);
    const response = await post(path, authorization, { ...body, stream: true });
    const id = response.headers.get("x-edgewise-response-id") ?? "";
    await response.text();
    await settled();
    const show = async (query: string) => send(`${path}/${id}${query}`, { headers: { authorization } });
    const before = await (await show("")).text();
    const object = env.GENERATION.getByName(id.slice(id.indexOf("_") === -1 ? 9 : 5).slice(0, 27));
    await eventually(() =>
      changeStored(object, (stored) => {
        // What it owes others is told behind its end.
        expect(stored.outbox).toEqual([]);
        stored.createdMs -= 600_000;
        stored.endedMs = (stored.endedMs ?? 0) - 600_000;
      }),
    );
    await runDurableObjectAlarm(object);
    expect(await (await show("")).text()).toBe(before);
    const streamed = await show("?stream=true");
    expect(streamed.status).toBe(200);
    expect(streamed.headers.get("content-type")).toContain("text/event-stream");
    const text = await streamed.text();
    expect(text).not.toContain("id: ");
    for (const piece of told) expect(text).toContain(piece);
    const behind = await show("?stream=true&starting_after=1");
    expect(behind.status).toBe(400);
    expect(await behind.json()).toMatchObject({ error: { param: "starting_after" } });
    expect((await send(`${path}/${id}`, { method: "DELETE", headers: { authorization } })).status).toBe(200);
    expect((await show("?stream=true")).status).toBe(404);
  },
);
