/** A turn that is told of files and whose model turns to tools of the service's own: both, in one answer. */
import { expect, test } from "vitest";
import { post, send } from "./edge-under-test.ts";
import { closed, readerWithFiles } from "./grounding-fixture.ts";
import { limitless, scriptedEdge } from "./scripted-edge.ts";
import { calls, says } from "./tool-server.ts";

const both = "searches-and-counts";
const engine = scriptedEdge({
  [both]: { limits: limitless, tools: { calculator: true, chat_completions: true } },
});
const six = ["calculator", { expression: "2*3" }] as const;
const input = "On which Monday of May is the office closed, and what is 2*3?";

function expectFilesInEachRound(): void {
  expect(engine.asked).toHaveLength(2);
  for (const asked of engine.asked) expect(JSON.stringify(asked["messages"])).toContain(closed);
}

test("a response searches once, calls, and cites what it found behind the call", async () => {
  const { authorization, storeId } = await readerWithFiles(both, "response");
  engine.rounds.push(calls(six), says("Closed in May [1]", ". It is 6."));
  const tools = [{ type: "file_search", vector_store_ids: [storeId] }];
  const response = await post("/v1/responses", authorization, { model: "auto", input, tools });
  const whole = await response.json<{ readonly id: string }>();
  expect(whole).toMatchObject({
    status: "completed",
    output: [
      { type: "file_search_call", status: "completed" },
      { type: "mcp_call", name: "calculator", output: "6" },
      {
        type: "message",
        content: [
          {
            text: "Closed in May [1]. It is 6.",
            annotations: [{ type: "file_citation", filename: "closed.md", index: 14 }],
          },
        ],
      },
    ],
    tools: [{ type: "file_search", vector_store_ids: [storeId] }],
  });
  expectFilesInEachRound();
  const stored = await send(`/v1/responses/${whole.id}`, { headers: { authorization } });
  expect(await stored.json()).toEqual(whole);
});

test("a chat completion cites behind a call, whole and streamed", async () => {
  const { authorization, storeId } = await readerWithFiles(both, "chat");
  const chat = {
    model: "auto",
    messages: [{ role: "user", content: input }],
    retrieval: { vector_store_ids: [storeId] },
  };
  const cited = [{ index: 1, filename: "closed.md" }];
  engine.rounds.push(calls(six), says("Closed in May [1]", ". It is 6."));
  const whole = await post("/v1/chat/completions", authorization, chat);
  expect(await whole.json()).toMatchObject({
    choices: [{ message: { content: "Closed in May [1]. It is 6." }, finish_reason: "stop" }],
    citations: cited,
  });
  expectFilesInEachRound();
  engine.rounds.push(calls(six), says("Closed in May [1]", ". It is 6."));
  const stream = await (await post("/v1/chat/completions", authorization, { ...chat, stream: true })).text();
  const chunks = stream
    .split("\n\n")
    .flatMap((event) => /^data: (\{.*)$/m.exec(event)?.[1] ?? [])
    .map((json) => JSON.parse(json) as { readonly citations?: unknown });
  expect(chunks.at(-1)).toMatchObject({ choices: [{ finish_reason: "stop" }], citations: cited });
  expect(chunks.filter(({ citations }) => citations !== undefined)).toHaveLength(1);
});
