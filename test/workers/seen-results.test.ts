/** Results of tools that hold pictures, as screenshots are: in a response, a chat, a conversation, and what is gone on from. */
import { expect, test } from "vitest";
import { bearer, post, send } from "./edge-under-test.ts";
import { limitless, scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({
  sees: { limits: limitless },
  "sees-masked": { limits: limitless, safety: { input: { action: "mask" } } },
});

const url = "data:image/png;base64,iVBORw0KGgoAAAAN";
const model = "qwen3-reason";
const asked = { role: "user", content: "What is on the screen?" };
const call = { type: "function_call", call_id: "c", name: "screenshot", arguments: "{}" };
const picture = { type: "input_image", image_url: url, detail: "auto" };

function result(...output: readonly object[]) {
  return { type: "function_call_output", call_id: "c", output };
}

async function respond(authorization: string, body: object) {
  const response = await post("/v1/responses", authorization, { model, max_output_tokens: 50, ...body });
  return { status: response.status, body: await response.json<{ id: string; status: string }>() };
}

/** What the engine was given of results last. */
function results(): unknown[] {
  const messages = engine.asked.at(-1)?.["messages"] as { role: string; content: unknown }[];
  return messages.filter(({ role }) => role === "tool").map(({ content }) => content);
}

const shown = [
  { type: "text", text: "Before" },
  { type: "image_url", image_url: { url, detail: "auto" } },
  { type: "text", text: "After" },
];
const sent = result({ type: "input_text", text: "Before" }, picture, { type: "input_text", text: "After" });

test("a response's model sees the picture in its place, its owner is shown it as it was sent, and what goes on from it sees it still", async () => {
  const ann = await bearer("sees", "ann");
  const first = await respond(ann, { input: [asked, call, sent] });
  expect(first).toMatchObject({ status: 200, body: { status: "completed" } });
  expect(results()).toEqual([shown]);
  const listed = await send(`/v1/responses/${first.body.id}/input_items?order=asc`, {
    headers: { authorization: ann },
  });
  expect((await listed.json<{ data: object[] }>()).data[2]).toMatchObject(sent);
  await respond(ann, { input: "And now?", previous_response_id: first.body.id });
  expect(results()).toEqual([shown]);
  // Texts alone are one, as every template wants it.
  await respond(ann, { input: [asked, call, result({ type: "input_text", text: "Nothing" })] });
  expect(results()).toEqual(["Nothing"]);
});

test("a conversation keeps the picture, in a response as in a chat", async () => {
  const bob = await bearer("sees", "bob");
  await respond(bob, { conversation: "screens", input: [asked, call, sent] });
  await respond(bob, { conversation: "screens", input: "And now?" });
  expect(results()).toEqual([shown]);
  const tool_calls = [{ id: "c", type: "function", function: { name: "screenshot", arguments: "{}" } }];
  const messages = [
    asked,
    { role: "assistant", content: null, tool_calls },
    { role: "tool", tool_call_id: "c", content: shown },
  ];
  const chat = (more: object) =>
    post("/v1/chat/completions", bob, { model, conversation_id: "talk", ...more });
  expect((await chat({ messages })).status).toBe(200);
  expect(results()).toEqual([shown]);
  await (await chat({ messages: [asked] })).text();
  expect(results()).toEqual([shown]);
});

test("what a result says beside its picture is masked as any result is, and the picture stays", async () => {
  const cem = await bearer("sees-masked", "cem");
  const words = { type: "input_text", text: "Card 4111 1111 1111 1111 is shown." };
  expect((await respond(cem, { input: [asked, call, result(picture, words)] })).status).toBe(200);
  const [[image, text]] = results() as [[unknown, { text: string }]];
  expect(image).toEqual(shown[1]);
  expect(text.text).toMatch(/^Card .* is shown\.$/);
  expect(text.text).not.toContain("4111");
});

test("a picture that can't be taken is named by its place, a file is refused by name, and a model that can't see is told so", async () => {
  const dov = await bearer("sees", "dov");
  const input = (...output: readonly object[]) => ({ input: [asked, call, result(...output)] });
  const wrong = { ...picture, image_url: "data:image/png;base64,AAAA" };
  const file = { type: "input_file", filename: "a.txt", file_data: "YQ==" };
  for (const [body, param] of [
    [input(picture, wrong), "input[2].output[1].image_url"],
    [input({ ...picture, image_url: "https://inside.example/x.png" }), "input[2].output[0].image_url"],
    [input(...Array.from({ length: 33 }, () => picture)), "input[2].output"],
    [input(file), "input[2].output[0].type"],
    [{ model: "auto", ...input(picture) }, "model"],
  ] as const)
    expect(await respond(dov, body)).toMatchObject({ status: 400, body: { error: { param } } });
});
