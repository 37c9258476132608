import { beforeEach, describe, expect, test } from "vitest";
import { bearer, settled } from "./edge-under-test.ts";
import { ask, chat, logged } from "./moderation-fixture.ts";
import { expectBill, scriptedEdge } from "./scripted-edge.ts";
import { readStream } from "./scripted-engine.ts";
import { eventually } from "./eventually.ts";

const engine = scriptedEdge({
  "harm-blocks": { safety: { moderation: { input: "block", output: "block" } } },
  "harm-flags": { safety: { moderation: { input: "flag", output: "flag" } } },
  "harm-off": {},
});

const harm = "All immigrants are filthy vermin and should be exterminated.";
/** As parts of one message, none of which says it. */
const inParts = ["All immigrants are", "filthy vermin and", "should be exterminated."].map((text) => ({
  type: "text",
  text,
}));
const harmless = "The weather in Lisbon is mild in spring, and most visitors walk along the river. ".repeat(
  3,
);
const answer = (harmless + harm).match(/\S+\s*/g) ?? [];

beforeEach(() => {
  engine.tokens = answer;
});

describe.each([
  ["a direct stream", { stream: true }],
  ["a conversation's stream", { stream: true, conversation_id: "harmful" }],
])("%s", (_, more) => {
  test("ends with content_filter before the block that is harmful, and the engine is stopped", async () => {
    engine.tokens = [...answer, ...(harmless.match(/\S+\s*/g) ?? [])];
    const response = await ask("harm-blocks", chat("hi", more));
    const { content, finish, done } = readStream(await response.text());
    expect(finish).toBe("content_filter");
    expect(done).toBe(true);
    expect(harmless.startsWith(content)).toBe(true);
    expect(content.length).toBeGreaterThan(100);
    await settled();
    await eventually(() => expect(engine.cancelled).toBe(1));
  });

  test("says all of it where the policy is to flag", async () => {
    const response = await ask("harm-flags", chat("hi", more));
    expect(readStream(await response.text())).toMatchObject({ content: answer.join(""), finish: "stop" });
    await settled();
  });

  test("a harmless answer is said to its last character", async () => {
    engine.tokens = harmless.match(/\S+\s*/g) ?? [];
    const response = await ask("harm-blocks", chat("hi", more));
    expect(readStream(await response.text())).toMatchObject({ content: harmless, finish: "stop" });
    await settled();
  });
});

test("a whole answer is judged like a stream", async () => {
  const response = await ask("harm-blocks", chat("hi"));
  const { choices } = (await response.json()) as { choices: { finish_reason: string }[] };
  expect(choices[0]?.finish_reason).toBe("content_filter");
  expect(JSON.stringify(choices)).not.toContain("vermin");
  await settled();
});

test.each([
  ["/v1/chat/completions", chat(harm)],
  ["/v1/chat/completions", chat("", { messages: [{ role: "user", content: inParts }] })],
  ["/v1/completions", { model: "auto", prompt: harm, max_tokens: 10 }],
  ["/v1/responses", { model: "auto", input: harm }],
  ["/v1/responses/input_tokens", { model: "auto", input: harm }],
  ["/v1/conversations", { items: [{ type: "message", role: "user", content: harm }] }],
])(
  "%s: a harmful prompt is refused by its category alone, reaches no model and costs nothing",
  async (path, body) => {
    const user = crypto.randomUUID();
    const response = await ask("harm-blocks", body, path, user);
    expect(response.status).toBe(400);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ error: { code: "content_policy_violation" } });
    expect(text).toContain("hate");
    expect(text).not.toContain("vermin");
    expect(engine.asked).toHaveLength(0);
    await expectBill(await bearer("harm-blocks", user), 0, 0);
  },
);

test("a harmful prompt passes where it is flagged, or not looked for", async () => {
  for (const tenant of ["harm-flags", "harm-off"]) {
    const response = await ask(tenant, chat(harm));
    expect(response.status).toBe(200);
    await response.text();
  }
  expect(engine.asked).toHaveLength(2);
  await settled();
});

test("the log says of a refused prompt and of a flagged answer their categories, never a word of them", async () => {
  const refused = await logged(
    async () => (await ask("harm-blocks", chat(harm))).text(),
    (lines) => lines.some((line) => line.includes('"screened":"hate:1')),
  );
  const flagged = await logged(
    async () => (await ask("harm-flags", chat("hi"))).text(),
    (lines) => lines.some((line) => line.includes('"guarded":"hate:')),
  );
  expect([...refused, ...flagged].join("\n")).not.toContain("vermin");
});
