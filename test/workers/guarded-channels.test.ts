/** Whatever part of an answer a model puts a secret into, and however its reader asked for it: nobody sees it. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { bearer, post, putTenant, send, settled } from "./edge-under-test.ts";
import { openSocket } from "./test-socket.ts";

const digits = "4111111111111111";
/** As a model says it, token by token: no token holds it. */
const pieces = ["It is ", "4111", " 1111", " 111", "1 11", "11", ", he", " says."];

interface Part {
  readonly index?: number;
  readonly delta: Readonly<Record<string, unknown>>;
  readonly logprobs?: object;
}

const call = (fn: object, more: object = {}) => ({ tool_calls: [{ index: 0, ...more, function: fn }] });
const named = { id: "call_1", type: "function" };

/** What the model says, by where the secret is. */
const channels: Readonly<Record<string, readonly Part[]>> = {
  content: pieces.map((content) => ({ delta: { content } })),
  "content, beside log probabilities": pieces.map((token) => ({
    delta: { content: token },
    logprobs: { content: [{ token, logprob: -0.1, bytes: null, top_logprobs: [] }] },
  })),
  reasoning: [...pieces.map((reasoning) => ({ delta: { reasoning } })), { delta: { content: "Yes." } }],
  reasoning_content: [
    ...pieces.map((text) => ({ delta: { reasoning_content: text } })),
    { delta: { content: "Yes." } },
  ],
  refusal: pieces.map((refusal) => ({ delta: { refusal } })),
  "a second choice": [
    { delta: { content: "No." } },
    ...pieces.map((content) => ({ index: 1, delta: { content } })),
  ],
  "the arguments of a call": [
    { delta: call({ name: "pay", arguments: '{"to":"' }, named) },
    ...pieces.map((text) => ({ delta: call({ arguments: text }) })),
    { delta: call({ arguments: '"}' }) },
  ],
  "the name of a call": [{ delta: call({ name: digits, arguments: "{}" }, named) }],
  "the id of a call": [
    { delta: call({ name: "pay", arguments: "{}" }, { ...named, id: `functions.${digits}:0` }) },
  ],
};
let said: readonly Part[] = [];
/** How many of its parts the first stream tells before it breaks off; whoever goes on tells the others. */
let cutAt: number | null = null;

/** vLLM, streaming and not, in the words of both of its routes. */
async function engine(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const { pathname } = new URL(new Request(input).url);
  if (typeof init?.body !== "string") return new Response(null);
  const { stream, continue_final_message: goesOn } = JSON.parse(init.body) as Record<string, unknown>;
  const isChat = pathname === "/v1/chat/completions";
  const usage = { prompt_tokens: 10, completion_tokens: 9, total_tokens: 19 };
  const head = { id: "engine", created: 1_760_000_000, model: "m", usage };
  const last = Math.max(0, ...said.map(({ index = 0 }) => index));
  const indexes = Array.from({ length: last + 1 }, (_, index) => index);
  if (stream !== true) {
    const choices = indexes.map((index) => wholeChoice(index, isChat));
    return Response.json({ ...head, object: "chat.completion", choices });
  }
  const isCut = cutAt !== null && goesOn !== true;
  const told = cutAt === null ? said : goesOn === true ? said.slice(cutAt) : said.slice(0, cutAt);
  const events = [
    ...told.map(({ index = 0, delta, logprobs = null }) => {
      const text = isChat ? { delta } : { text: delta["content"] ?? "" };
      return { ...head, choices: [{ index, ...text, logprobs, finish_reason: null }] };
    }),
    ...(isCut ? [] : indexes).map((index) => {
      const text = isChat ? { delta: {} } : { text: "" };
      return { ...head, choices: [{ index, ...text, finish_reason: "stop" }] };
    }),
  ].map((event) => `data: ${JSON.stringify(event)}\n\n`);
  return new Response(`${events.join("")}${isCut ? "" : "data: [DONE]\n\n"}`, {
    headers: { "content-type": "text/event-stream" },
  });
}

function wholeChoice(index: number, isChat: boolean): object {
  const own = said.filter((part) => (part.index ?? 0) === index);
  const joined = (field: string): string =>
    own.map(({ delta: { [field]: text } }) => (typeof text === "string" ? text : "")).join("");
  if (!isChat) return { index, text: joined("content"), finish_reason: "stop" };
  const fields = ["content", "reasoning", "reasoning_content", "refusal"].map((field) => [
    field,
    joined(field) || null,
  ]);
  const calls = own.flatMap(
    ({ delta }) => (delta["tool_calls"] ?? []) as { function: Record<string, string> }[],
  );
  const text = calls.map(({ function: { arguments: one = "" } }) => one).join("");
  const [first] = calls;
  const tools = first && { tool_calls: [{ ...first, function: { ...first.function, arguments: text } }] };
  const logprobs = own.flatMap((part) => (part.logprobs as { content: object[] } | undefined)?.content ?? []);
  return {
    index,
    message: { role: "assistant", ...Object.fromEntries(fields), ...tools },
    logprobs: logprobs.length > 0 ? { content: logprobs } : null,
    finish_reason: "stop",
  };
}

beforeAll(async () => {
  vi.spyOn(globalThis, "fetch").mockImplementation(engine);
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  for (const action of ["mask", "block"])
    await putTenant(`says-${action}`, { safety: { output: { action } } });
});
afterAll(() => void vi.restoreAllMocks());

/** What a client puts together of an answer: the strings of its events by their place, one behind the other. */
function putTogether(body: string): readonly string[] {
  const texts = new Map<string, string>();
  const gather = (value: unknown, place: string): void => {
    if (typeof value === "string") texts.set(place, (texts.get(place) ?? "") + value);
    else if (Array.isArray(value))
      for (const [at, one] of value.entries())
        gather(one, `${place}[${(one as { index?: number } | null)?.index ?? at}]`);
    else if (typeof value === "object" && value !== null)
      for (const [name, one] of Object.entries(value)) gather(one, `${place}.${name}`);
  };
  for (const line of body.split("\n")) {
    const json = line.replace(/^data: /, "");
    if (!json.startsWith("{")) continue;
    const event = JSON.parse(json) as { type?: string };
    gather(event, event.type ?? "");
  }
  return [...texts.values()];
}

function isSeen(body: string): boolean {
  const texts = putTogether(body);
  expect(texts.join(" ").length).toBeGreaterThan(0);
  return texts.some((text) => text.replace(/\D/g, "").includes(digits));
}

const messages = [{ role: "user", content: "hi" }];
const tools = [{ type: "function", function: { name: "pay" } }];
const chat = { model: "auto", messages, max_tokens: 100, tools };
const long = { ...chat, max_tokens: 8000 };
const chats = "/v1/chat/completions";
const answers = { model: "auto", input: "hi", tools: [{ type: "function", name: "pay" }] };

/** `n`: whether more than one choice may be asked for. */
const ways: readonly (readonly [way: string, path: string, body: object, n: boolean])[] = [
  ["a direct stream", chats, { ...chat, stream: true }, true],
  ["a direct stream of plain text", chats, { ...chat, stream: true, stream_format: "text" }, false],
  ["a whole answer, as the engine gave it", chats, chat, true],
  ["a whole answer, put together here", chats, long, true],
  ["a conversation's stream", chats, { ...chat, stream: true, conversation_id: "c" }, false],
  ["a conversation's whole answer", chats, { ...chat, conversation_id: "c" }, false],
  ["a stored completion", chats, { ...chat, store: true }, true],
  ["a plain completion's stream", "/v1/completions", { model: "auto", prompt: "hi", stream: true }, true],
  ["a plain completion", "/v1/completions", { model: "auto", prompt: "hi" }, true],
  ["a response's stream", "/v1/responses", { ...answers, stream: true }, false],
  ["a response", "/v1/responses", answers, false],
];

describe.each(["says-mask", "says-block"])("%s", (tenant) => {
  test.each(ways)("%s, and what is kept of it", async (_, path, body, severalChoices) => {
    const seen: string[] = [];
    const authorization = await bearer(tenant, crypto.randomUUID());
    for (const [channel, parts] of Object.entries(channels)) {
      said = parts;
      const several = channel === "a second choice";
      if (several && !severalChoices) continue;
      const isPlain = path === "/v1/completions";
      const hasLogprobs = channel.includes("log") && path !== "/v1/responses";
      const asked = {
        ...body,
        ...(several && { n: 2 }),
        ...(hasLogprobs && { logprobs: isPlain ? 1 : true }),
        ...("conversation_id" in body && { conversation_id: channel }),
      };
      const response = await post(path, authorization, asked);
      const text = await response.text();
      expect([channel, response.status]).toEqual([channel, 200]);
      if (isSeen(text)) seen.push(channel);
      const id = response.headers.get("x-edgewise-response-id");
      const isKept = path === "/v1/responses" || "store" in body;
      if (isKept && isSeen(await read(`${path}/${id}`, authorization))) seen.push(`${channel}, kept`);
    }
    await settled();
    if ("conversation_id" in body)
      for (const channel of Object.keys(channels)) {
        if (channel === "a second choice") continue;
        const items = await read(`/v1/conversations/${encodeURIComponent(channel)}/items`, authorization);
        if (isSeen(items)) seen.push(`${channel}, in its conversation`);
      }
    expect(seen).toEqual([]);
  });

  test.each(pieces.map((_piece, at) => at).slice(1))(
    "an answer whose engine breaks off behind %d of its tokens, and that another goes on with",
    async (at) => {
      said = channels["content"] ?? [];
      cutAt = at;
      const authorization = await bearer(tenant, crypto.randomUUID());
      for (const more of [{}, { conversation_id: `cut-${at}` }]) {
        const response = await post(chats, authorization, { ...chat, ...more, stream: true });
        const text = await response.text();
        expect(isSeen(text)).toBe(false);
        expect(text).toContain(tenant === "says-mask" ? "[card number]" : '"content_filter"');
      }
      cutAt = null;
    },
  );

  test("a socket's events", async () => {
    const seen: string[] = [];
    const socket = await openSocket(await bearer(tenant, crypto.randomUUID()));
    for (const [channel, parts] of Object.entries(channels)) {
      said = parts;
      if (channel === "a second choice") continue;
      const before = socket.texts.length;
      socket.say({ type: "response.create", ...answers });
      await socket.until(({ events }) => events.slice(before).some(({ type }) => endings.has(type)));
      if (isSeen(socket.texts.slice(before).join("\n"))) seen.push(channel);
    }
    socket.leave();
    await settled();
    expect(seen).toEqual([]);
  });
});

const endings: ReadonlySet<string> = new Set([
  "response.completed",
  "response.incomplete",
  "response.failed",
]);

/** Of an answer of which nothing was let through no conversation is kept. */
async function read(path: string, authorization: string): Promise<string> {
  const response = await send(path, { headers: { authorization } });
  expect([200, 404]).toContain(response.status);
  return response.text();
}
