import { abortAllDurableObjects } from "cloudflare:test";
import { expect, test } from "vitest";
import { bearer, post, send } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { expectBill, limitless, scriptedEdge } from "./scripted-edge.ts";
import { readStream } from "./scripted-engine.ts";
import { besideEngine, calls, orderTool, says } from "./tool-server.ts";
import { readUntil } from "./read-until.ts";

/** Chat completions with tools of the server's own whose object is killed: nothing in their journal shows a call, and they go on all the same. */
const engine = scriptedEdge({
  "killed-chats": {
    limits: limitless,
    tools: { calculator: true, http: [{ ...orderTool, headers: [] }], chat_completions: true },
  },
});
const server = besideEngine(engine);

const path = "/v1/chat/completions";
const question = {
  model: "auto",
  max_completion_tokens: 50,
  messages: [{ role: "user", content: "Where is it?" }],
  stream: true,
  stream_options: { include_usage: true },
};
const order = ["get_order", { id: "7" }] as const;
const never = new Promise<never>(() => undefined);

function thinksAloud(words: string, call: readonly [name: string, args: object]) {
  const { deltas, finish } = calls(call);
  return { deltas: [{ content: words }, ...deltas], finish };
}

/** Reads until `until` holds of what was seen, and kills every object; then asks for all of it again. */
async function killedWhen(
  authorization: string,
  key: string,
  until: (seen: string) => boolean | Promise<boolean>,
  body: object = {},
): Promise<string> {
  const asked = () => post(path, authorization, { ...question, ...body }, { "idempotency-key": key });
  const { seen, reader } = await readUntil(await asked(), until);
  await abortAllDurableObjects();
  await reader.read().catch(() => undefined);
  server.answers.set("/v1/orders/7", () => Response.json({ state: "sent" }));
  const text = await (await asked()).text();
  expect(text.startsWith(seen)).toBe(true);
  return text;
}

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly role?: string } }[];
  readonly usage?: { readonly total_tokens: number } | null;
}

function chunksOf(text: string): readonly Chunk[] {
  return text
    .split("\n\n")
    .filter((line) => line.includes("data: {"))
    .map((line) => JSON.parse(line.slice(line.indexOf("{"))) as Chunk);
}

function expectOneAnswer(text: string, tokens: number): void {
  const chunks = chunksOf(text);
  expect(chunks.filter(({ choices }) => choices[0]?.delta.role !== undefined)).toHaveLength(1);
  expect(chunks.flatMap(({ usage }) => usage ?? [])).toMatchObject([{ total_tokens: tokens }]);
}

test.for([1, 2, 3])("killed after word %s behind a round, it goes on where it was", async (k) => {
  const authorization = await bearer("killed-chats", `words-${k}`);
  const words = ["It", " was", " sent", " today."];
  engine.rounds.push(thinksAloud("Let me see.", order), {
    ...says(...words),
    pause: { at: k, until: never },
  });
  server.answers.set("/v1/orders/7", () => Response.json({ state: "sent" }));
  const text = await killedWhen(authorization, `words-${k}`, (seen) => {
    if (!seen.includes(JSON.stringify(words[k - 1]))) return false;
    engine.tokens = words;
    engine.rounds.length = 0;
    return true;
  });
  expect(readStream(text)).toEqual({
    content: `Let me see.\n\n${words.join("")}`,
    finish: "stop",
    done: true,
  });
  expect(server.asked).toHaveLength(1);
  expect(engine.asked).toHaveLength(3);
  expect(engine.asked[2]).toMatchObject({ continue_final_message: true });
  expect(engine.lastRead()).toContain('"role":"tool","content":"{\\"state\\":\\"sent\\"}"');
  expectOneAnswer(text, 20 + 2 + words.length);
  await expectBill(authorization, 1, 20 + 2 + words.length);
});

test("killed behind a round before a word of the next, it asks its model anew, and makes no call again", async () => {
  const authorization = await bearer("killed-chats", "between");
  engine.rounds.push(thinksAloud("Let me see.", order), {
    ...says("It is", " sent."),
    pause: { at: 0, until: never },
  });
  server.answers.set("/v1/orders/7", () => Response.json({ state: "sent" }));
  const text = await killedWhen(authorization, "between", async (seen) => {
    if (!seen.includes("Let me see.")) return false;
    await eventually(() => expect(engine.asked).toHaveLength(2));
    engine.rounds.splice(0, 9, says("It is", " sent."));
    return true;
  });
  expect(readStream(text)).toEqual({ content: "Let me see.\n\nIt is sent.", finish: "stop", done: true });
  expect(server.asked).toHaveLength(1);
  expectOneAnswer(text, 24);
  await expectBill(authorization, 1, 24);
});

test("killed while a call runs, what was said goes on, and the call is made again", async () => {
  const authorization = await bearer("killed-chats", "calling");
  engine.rounds.push(thinksAloud("Let me see.", order), says(" It is", " sent."));
  server.answers.set("/v1/orders/7", () => never);
  const text = await killedWhen(authorization, "calling", async (seen) => {
    if (!seen.includes("Let me see.")) return false;
    await eventually(() => expect(server.asked).toHaveLength(1));
    engine.tokens = ["Let me see.", " It is", " sent."];
    engine.rounds.length = 0;
    return true;
  });
  expect(readStream(text)).toEqual({ content: "Let me see. It is sent.", finish: "stop", done: true });
  expect(engine.asked[1]).toMatchObject({ continue_final_message: true });
});

test("killed behind a round in plain text, it goes on as well", async () => {
  const authorization = await bearer("killed-chats", "text");
  const words = ["It", " was", " sent."];
  engine.rounds.push(thinksAloud("Let me see.", order), {
    ...says(...words),
    pause: { at: 1, until: never },
  });
  server.answers.set("/v1/orders/7", () => Response.json({ state: "sent" }));
  const text = await killedWhen(
    authorization,
    "text",
    (seen) => {
      if (!seen.includes('"It"')) return false;
      engine.tokens = words;
      engine.rounds.length = 0;
      return true;
    },
    { stream_format: "text" },
  );
  const said = text.match(/"text":"[^"]*"/g)?.map((one) => (JSON.parse(`{${one}}`) as { text: string }).text);
  expect(said?.join("")).toBe("Let me see.\n\nIt was sent.");
  expect(text).not.toContain('"error"');
});

test("cancelled behind a round, its conversation keeps what the tools said", async () => {
  const authorization = await bearer("killed-chats", "cancelled");
  engine.rounds.push(thinksAloud("Let me see.", order), {
    ...says("It is", " sent."),
    pause: { at: 1, until: never },
  });
  server.answers.set("/v1/orders/7", () => Response.json({ state: "sent" }));
  const response = await post(path, authorization, { ...question, conversation_id: "orders" });
  const id = response.headers.get("x-edgewise-response-id") ?? "";
  const { reader } = await readUntil(response, (seen) => seen.includes("It is"));
  await send(`${path}/${id}/cancel`, { method: "POST", headers: { authorization } });
  await reader.cancel();
  await expectBill(authorization, 1, 23);
  // It comes into its conversation behind its end.
  await eventually(async () => {
    const items = await send("/v1/conversations/orders/items?order=asc", { headers: { authorization } });
    expect(await items.json()).toMatchObject({
      data: [
        { type: "message", role: "user" },
        { type: "message", role: "assistant", content: [{ text: "Let me see." }] },
        { type: "function_call", name: "get_order" },
        { type: "function_call_output", output: '{"state":"sent"}' },
        { type: "message", role: "assistant", content: [{ text: "It is" }] },
      ],
    });
  });
});
