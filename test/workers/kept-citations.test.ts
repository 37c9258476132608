/** What a conversation keeps of what its answers cite: which file, and where; nothing that the file says, and nothing that a model reads. */
import { abortAllDurableObjects } from "cloudflare:test";
import { beforeEach, expect, test } from "vitest";
import { post, send, settled } from "./edge-under-test.ts";
import { closed, readerWithFiles } from "./grounding-fixture.ts";
import { limitless, scriptedEdge } from "./scripted-edge.ts";
import { readUntil } from "./read-until.ts";
import { eventually } from "./eventually.ts";

const engine = scriptedEdge({ keeper: { limits: limitless } });

beforeEach(() => {
  engine.tokens = ["Closed", " in May [", "1]", "."];
});

const question = { role: "user", content: "On which Monday of May is the office closed, please?" };
const chat = { model: "auto", max_tokens: 50, messages: [question] };

interface Item {
  readonly id: string;
  readonly role: string;
  readonly content: readonly { readonly annotations?: readonly object[] }[];
}

/** So many as there are to be: a turn comes into its conversation behind its end. */
async function itemsOf(authorization: string, conversation: string, count: number): Promise<readonly Item[]> {
  await settled();
  const path = `/v1/conversations/${conversation}/items?order=asc`;
  return eventually(async () => {
    const response = await send(path, { headers: { authorization } });
    const { data } = await response.json<{ readonly data: readonly Item[] }>();
    expect(data).toHaveLength(count);
    return data;
  });
}

const cites = (fileId: string | undefined) => [
  { type: "file_citation", index: 14, file_id: fileId, filename: "closed.md" },
];

test("a chat's item says which file each mark means, and the next turn's model reads what it always did", async () => {
  const { caller, authorization, storeId, files } = await readerWithFiles("keeper", "chat");
  const said = { ...chat, conversation_id: "talk" };
  const grounded = { ...said, retrieval: { vector_store_ids: [storeId] } };
  await (await post("/v1/chat/completions", authorization, grounded)).text();
  const [asked, answered] = await itemsOf(authorization, "talk", 2);
  expect(asked?.content).toEqual([{ type: "input_text", text: question.content }]);
  expect(answered?.content).toEqual([
    { type: "output_text", text: "Closed in May [1].", annotations: cites(files[0]), logprobs: [] },
  ]);
  const one = await send(`/v1/conversations/talk/items/${answered?.id}`, { headers: { authorization } });
  expect(await one.json()).toEqual(answered);
  await (
    await post("/v1/chat/completions", authorization, {
      ...said,
      messages: [{ role: "user", content: "Thanks." }],
    })
  ).text();
  const read = (engine.asked.at(-1)?.["messages"] ?? []) as readonly object[];
  expect(read.slice(1)).toEqual([
    question,
    { role: "assistant", content: "Closed in May [1]." },
    { role: "user", content: "Thanks." },
  ]);
  // What stays when the file is gone: its name and its place, and none of its words.
  await caller.ask("DELETE", `/v1/files/${files[0]}`);
  const kept = await itemsOf(authorization, "talk", 4);
  expect(kept[1]).toEqual(answered);
  expect(JSON.stringify(kept)).not.toContain(closed);
});

test("a response's item is as the response has it, and a turn without files is kept as before", async () => {
  const { authorization, storeId } = await readerWithFiles("keeper", "response");
  const tools = [{ type: "file_search", vector_store_ids: [storeId] }];
  const body = { model: "auto", input: question.content, conversation: "answers", tools };
  const response = await post("/v1/responses", authorization, body);
  const { output } = await response.json<{ readonly output: readonly Item[] }>();
  await settled();
  const plain = { model: "auto", input: "And so?", conversation: "answers" };
  await (await post("/v1/responses", authorization, plain)).text();
  const items = await itemsOf(authorization, "answers", 4);
  expect(items[1]?.content).toEqual(output.at(-1)?.content);
  expect(items[3]?.content[0]?.annotations).toEqual([]);
});

test.for(["goes on", "is cancelled"])("a killed turn that %s keeps what it had cited", async (how) => {
  const { authorization, storeId, files } = await readerWithFiles("keeper", how);
  engine.pause = { at: 3, until: new Promise(() => undefined) };
  const body = { ...chat, conversation_id: "lost", stream: true, retrieval: { vector_store_ids: [storeId] } };
  const response = await post("/v1/chat/completions", authorization, body);
  const { reader } = await readUntil(response, (seen) => seen.includes("1]"));
  const id = response.headers.get("x-edgewise-response-id") ?? "";
  if (how === "goes on") {
    await abortAllDurableObjects();
    engine.pause = null;
    await reader.read().catch(() => undefined);
    await (await send(`/v1/chat/completions/${id}?stream=true`, { headers: { authorization } })).text();
  } else {
    await post(`/v1/chat/completions/${id}/cancel`, authorization, {});
    await reader.cancel();
  }
  const [, answered] = await itemsOf(authorization, "lost", 2);
  expect(answered?.content).toMatchObject([{ annotations: cites(files[0]) }]);
});
