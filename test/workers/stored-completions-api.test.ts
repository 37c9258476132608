/** Stored chat completions over HTTP: which are listed, what they are asked for, and when they are in the list no more. */
import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { CompletionIndex } from "../../durable-objects/completion-index/completion-index.ts";
import { completionIndexName } from "../../src/shared/contracts/completion-index.ts";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({
  stores: {},
  masks: { safety: { input: { action: "mask" } } },
  forgets: { journal: { retention_days: 0 } },
});
const spies: { mockRestore(): void }[] = [];
afterEach(() => spies.splice(0).forEach((spy) => spy.mockRestore()));

interface Completion {
  readonly id: string;
  readonly metadata?: Record<string, string>;
}

const path = "/v1/chat/completions";

async function ask(method: string, at: string, authorization: string, body?: object | string) {
  const response = await send(at, {
    method,
    headers: { authorization, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const question = (content: string, more: object = {}) => ({
  model: "auto",
  max_tokens: 20,
  store: true,
  messages: [{ role: "user", content }],
  ...more,
});

async function store(authorization: string, content: string, more: object = {}, headers = {}) {
  const response = await post(path, authorization, question(content, more), headers);
  expect(response.status).toBe(200);
  return (await response.json()) as Completion;
}

async function list(authorization: string, query = ""): Promise<readonly Completion[]> {
  const { status, body } = await ask("GET", `${path}${query}`, authorization);
  expect([status, body["object"]]).toEqual([200, "list"]);
  const data = body["data"] as Completion[];
  expect([body["first_id"], body["last_id"]]).toEqual([data[0]?.id ?? "", data.at(-1)?.id ?? ""]);
  return data;
}

const listing = (authorization: string, expected: readonly Completion[]): Promise<void> =>
  eventually(async () => expect(await list(authorization)).toEqual(expected));

const idsIn = async (tenant: string, user: string): Promise<unknown> =>
  runInDurableObject(
    env.COMPLETION_INDEX.getByName(completionIndexName({ tenant, user })),
    (_index, { storage }) =>
      storage.sql
        .exec("SELECT id FROM entry ORDER BY place")
        .toArray()
        .map((row) => row["id"]),
  );

test("what its owner stored is listed; what was not stored, and another's, is not", async () => {
  const ann = await bearer("stores", "ann");
  const first = await store(ann, "one", { metadata: { k: "v" } });
  const second = await store(ann, "two");
  const unlisted = await store(ann, "in a conversation alone", { conversation_id: "talk", store: false });
  expect(first.metadata).toEqual({ k: "v" });
  expect(second.metadata).toEqual({});
  expect(unlisted).not.toHaveProperty("metadata");
  await listing(ann, [first, second]);
  expect(await list(ann, `?after=${first.id}`)).toEqual([second]);
  expect(await list(ann, `?order=desc&limit=1`)).toEqual([second]);
  expect(await list(ann, "?metadata[k]=v")).toEqual([first]);
  expect(await list(ann, `?metadata=&model=none`)).toEqual([]);
  expect(await list(ann, "?metadata[k]=v&metadata[constructor]=v")).toEqual([]);
  expect(await list(await bearer("stores", "bob"))).toEqual([]);
  // It is had by its id, and is none of those whose messages are kept.
  expect(await ask("GET", `${path}/${unlisted.id}`, ann)).toMatchObject({ status: 200 });
  expect(await ask("GET", `${path}/${unlisted.id}/messages`, ann)).toMatchObject({ status: 404 });
  expect(await ask("POST", `${path}/${unlisted.id}`, ann, { metadata: {} })).toMatchObject({ status: 404 });
  await settled();
});

test("what is deleted goes from the list, by its id or with its conversation, and an equal key stores anew", async () => {
  const ann = await bearer("stores", "cat");
  const key = { "idempotency-key": crypto.randomUUID() };
  const claimed = await store(ann, "claimed", {}, key);
  const said = await store(ann, "said", { conversation_id: "to be deleted" });
  await listing(ann, [claimed, said]);
  expect(await ask("GET", `${path}/${said.id}/messages`, ann)).toMatchObject({ status: 200 });
  await ask("DELETE", `${path}/${claimed.id}`, ann);
  await ask("DELETE", `/v1/conversations/${encodeURIComponent("to be deleted")}`, ann);
  await eventually(async () => expect(await idsIn("stores", "cat")).toEqual([null, null]));
  expect(await list(ann)).toEqual([]);
  for (const { id } of [claimed, said])
    expect(await ask("GET", `${path}/${id}/messages`, ann)).toMatchObject({ status: 404 });
  // A page goes on behind it all the same.
  expect(await list(ann, `?after=${claimed.id}`)).toEqual([]);
  const anew = await store(ann, "claimed", {}, key);
  expect(anew.id).toBe(claimed.id);
  await listing(ann, [anew]);
  await settled();
});

test("an index that can't be told loses nothing: it is told later, and one that can't be asked is 503", async () => {
  const ann = await bearer("stores", "dan");
  const kept = await store(ann, "kept");
  await listing(ann, [kept]);
  const tell = vi.spyOn(CompletionIndex.prototype, "tell").mockRejectedValue(new Error("unreachable"));
  spies.push(tell);
  const untold = await store(ann, "untold");
  await eventually(() => expect(tell).toHaveBeenCalled());
  expect(await list(ann)).toEqual([kept]);
  expect(await ask("GET", `${path}/${untold.id}`, ann)).toMatchObject({ status: 200 });
  tell.mockRestore();
  await listing(ann, [kept, untold]);
  const asked = vi.spyOn(CompletionIndex.prototype, "list").mockImplementation(() => {
    throw new Error("unreachable");
  });
  spies.push(asked);
  expect(await ask("GET", path, ann)).toMatchObject({ status: 503 });
  await settled();
});

test("a page is filled from behind those that were deleted and of which the index was not told yet", async () => {
  const ann = await bearer("stores", "eve");
  const all: Completion[] = [];
  for (const content of ["1", "2", "3", "4", "5"]) all.push(await store(ann, content));
  await listing(ann, all);
  spies.push(vi.spyOn(CompletionIndex.prototype, "tell").mockRejectedValue(new Error("unreachable")));
  for (const { id } of all.slice(0, 3)) await ask("DELETE", `${path}/${id}`, ann);
  expect(await list(ann, "?limit=2")).toEqual(all.slice(3));
  expect(await list(ann, "?limit=1")).toEqual(all.slice(3, 4));
  await settled();
});

test("an answer that was stopped, and one whose object was killed, are listed as what was said", async () => {
  const ann = await bearer("stores", "fay");
  const gate = Promise.withResolvers<void>();
  engine.tokens = ["All", " that", " was"];
  engine.pause = { at: 2, until: gate.promise };
  const stream = await post(path, ann, question("stop", { stream: true, metadata: { k: "stopped" } }));
  const id = stream.headers.get("x-edgewise-response-id") ?? "";
  expect(await ask("POST", `${path}/${id}`, ann, { metadata: {} })).toMatchObject({ status: 409 });
  expect(await ask("GET", `${path}/${id}/messages`, ann)).toMatchObject({ status: 409 });
  expect(await list(ann)).toEqual([]);
  await ask("POST", `${path}/${id}/cancel`, ann);
  gate.resolve();
  await stream.text();
  await eventually(async () => expect(await list(ann)).toMatchObject([{ id, metadata: { k: "stopped" } }]));
  engine.pause = { at: 2, until: new Promise(() => undefined) };
  const killed = await post(path, ann, question("kill", { stream: true, metadata: { k: "killed" } }));
  const reader = killed.body?.getReader();
  await reader?.read();
  await abortAllDurableObjects();
  // Whoever asks for it lets it go on.
  const other = killed.headers.get("x-edgewise-response-id") ?? "";
  await eventually(async () => {
    await ask("GET", `${path}/${other}`, ann);
    expect(await list(ann, "?metadata[k]=killed")).toMatchObject([{ id: other }]);
  });
  await settled();
});

test("messages are kept as they were screened", async () => {
  const ann = await bearer("masks", "gil");
  const { id } = await store(ann, "My mail is ann@example.com");
  const { body } = await ask("GET", `${path}/${id}/messages`, ann);
  expect(body["data"]).toMatchObject([{ id: `${id}-0`, role: "user" }]);
  expect(JSON.stringify(body)).not.toContain("ann@example.com");
  await settled();
});

test("a tenant that keeps nothing lists nothing", async () => {
  const ann = await bearer("forgets", "hal");
  const answer = await store(ann, "Hi", { metadata: { k: "v" } });
  expect(answer).not.toHaveProperty("metadata");
  await settled();
  expect(await list(ann)).toEqual([]);
  expect(await ask("GET", `${path}/${answer.id}/messages`, ann)).toMatchObject({ status: 404 });
});

const manyPairs = Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`k${at}`, "v"]));

test.for([
  ["{", "invalid_json", null],
  ["{}", "invalid_value", "metadata"],
  [{ metadata: { k: 1 } }, "invalid_value", "metadata.k"],
  [{ metadata: manyPairs }, "invalid_value", "metadata"],
  [{ metadata: { k: "v".repeat(513) } }, "invalid_value", "metadata.k"],
  [{ metadata: {}, model: "auto" }, "unknown_parameter", "model"],
] as const)("no other metadata: %j", async ([body, code, param]) => {
  const ann = await bearer("stores", "ida");
  const { id } = await store(ann, "Hi");
  const refused = await ask("POST", `${path}/${id}`, ann, body);
  expect(refused).toMatchObject({ status: 400, body: { error: { code, param } } });
  await settled();
});

test.for([
  ["?limit=0", "limit"],
  ["?order=new", "order"],
  ["?after=chatcmpl-x", "after"],
  ["?model=", "model"],
  [`?model=${"m".repeat(600)}`, "model"],
  ["?metadata=k", "metadata"],
  ["?metadata[k", "metadata"],
  ["?metadata[k]=v&metadata[k]=w", "metadata"],
  [`?metadata[k]=${"v".repeat(513)}`, "metadata.k"],
  [
    `?${Object.keys(manyPairs)
      .map((key) => `metadata[${key}]=v`)
      .join("&")}`,
    "metadata",
  ],
] as const)("a list that can't be is refused: %s", async ([query, param]) => {
  const refused = await ask("GET", `${path}${query}`, await bearer("stores", "kim"));
  expect(refused).toMatchObject({ status: 400, body: { error: { code: "invalid_value", param } } });
});

test.for(["", "-1", "-01", "-x", "-99"])("no message is called so: …%s", async (end) => {
  const ann = await bearer("stores", "leo");
  const { id } = await store(ann, "Hi");
  const refused = await ask("GET", `${path}/${id}/messages?after=${id}${end}`, ann);
  expect(refused).toMatchObject({ status: 400, body: { error: { param: "after" } } });
  const stranger = await bearer("stores", "max");
  expect(await ask("GET", `${path}/${id}/messages`, stranger)).toMatchObject({ status: 404 });
  expect(await ask("POST", `${path}/${id}`, stranger, { metadata: {} })).toMatchObject({ status: 404 });
  await settled();
});
