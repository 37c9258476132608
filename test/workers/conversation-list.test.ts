import { expect, test } from "vitest";
import { ask, chat, create, list, message } from "./conversation-calls.ts";
import { bearer, post, settled } from "./edge-under-test.ts";
import { scriptedEdge } from "./scripted-edge.ts";
import { eventually } from "./eventually.ts";

scriptedEdge({
  lists: {},
  others: {},
});

test("the caller's own are listed, newest first, with their titles, those of its own naming as well", async () => {
  const ann = await bearer("lists", "ann");
  expect(await list(ann)).toEqual([]);
  const made = await create(ann, { metadata: { topic: "x" }, items: [message("Plan a trip to Rome")] });
  await eventually(async () => expect(await list(ann)).toHaveLength(1));
  const answer = await post("/v1/chat/completions", ann, chat("my own", "Explain tides\nin short"));
  await answer.text();
  await eventually(async () =>
    expect((await list(ann)).map(({ id, title }) => [id, title])).toEqual([
      ["my own", "Explain tides"],
      [made, "Plan a trip to Rome"],
    ]),
  );
  expect((await list(ann))[1]?.metadata).toEqual({ topic: "x" });
  expect((await list(ann, "?order=asc&limit=1")).map(({ id }) => id)).toEqual([made]);
  expect((await list(ann, `?after=${encodeURIComponent("my own")}`)).map(({ id }) => id)).toEqual([made]);
  expect(await list(await bearer("lists", "bob"))).toEqual([]);
  expect(await list(await bearer("others", "ann"))).toEqual([]);
  await settled();
});

test.for(["?limit=0", "?limit=101", "?limit=x", "?order=new", "?after=conv_nothing"])(
  "a page that can't be is refused: %s",
  async (query) => {
    const { status, body } = await ask("GET", `/v1/conversations${query}`, await bearer("lists", "cat"));
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { code: "invalid_value" } });
  },
);

test("a title and metadata that change, change in the list; a title of one's own stays", async () => {
  const ann = await bearer("lists", "dee");
  const id = await create(ann, { items: [message("First words")] });
  const path = `/v1/conversations/${id}`;
  expect((await ask("POST", path, ann, { title: "  Mine \n" })).body).toMatchObject({
    title: "Mine",
    metadata: {},
  });
  await ask("POST", path, ann, { metadata: { a: "b" } });
  await (await post("/v1/chat/completions", ann, chat(id, "More words"))).text();
  await eventually(async () =>
    expect(await list(ann)).toMatchObject([{ id, title: "Mine", metadata: { a: "b" } }]),
  );
  expect((await ask("POST", path, ann, { active_branch: "br_9" })).body).toMatchObject({
    error: { param: "active_branch" },
  });
  await settled();
});

test("a deletion takes the stored answers of its turns along, and leaves a record without content", async () => {
  const ann = await bearer("lists", "gus");
  const first = await post("/v1/chat/completions", ann, chat("secret name", "one"));
  const responseId = first.headers.get("x-edgewise-response-id") ?? "";
  await first.text();
  await eventually(async () => expect(await list(ann)).toHaveLength(1));
  expect((await ask("GET", `/v1/chat/completions/${responseId}`, ann)).status).toBe(200);
  const deleted = await ask("DELETE", "/v1/conversations/secret%20name", ann);
  expect(deleted.body).toMatchObject({
    id: "secret name",
    object: "conversation.deleted",
    deleted: true,
    deletion: { object: "conversation.deletion", conversation_id: null, items: 2, turns: 1 },
  });
  for (const [method, path] of [
    ["GET", ""],
    ["POST", ""],
    ["DELETE", ""],
    ["GET", "/items"],
  ] as const)
    expect(
      (
        await ask(
          method,
          `/v1/conversations/secret%20name${path}`,
          ann,
          method === "POST" ? { title: "x" } : undefined,
        )
      ).status,
    ).toBe(404);
  await eventually(async () => {
    expect((await ask("GET", `/v1/chat/completions/${responseId}`, ann)).status).toBe(404);
    expect(await list(ann)).toEqual([]);
    const records = (await ask("GET", "/v1/conversation_deletions", ann)).body["data"] as Record<
      string,
      number
    >[];
    expect(records).toMatchObject([{ turns: 1, turns_pending: 0 }]);
    expect((records[0]?.["recoverable_until"] ?? 0) - (records[0]?.["deleted_at"] ?? 0)).toBe(30 * 86_400);
    expect(JSON.stringify(records)).not.toContain("secret");
  });
  // What was charged stays.
  await eventually(async () => {
    const usage = await ask("GET", "/v1/usage", ann);
    expect(usage.body).toMatchObject({ user: { used: { requests: 1 } } });
  });
  await settled();
});

test("another user's or tenant's conversation answers on every verb as none does", async () => {
  const ann = await bearer("lists", "hal");
  const id = await create(ann, { items: [message("mine")] });
  const item = ((await ask("GET", `/v1/conversations/${id}/items`, ann)).body["data"] as { id: string }[])[0]
    ?.id;
  for (const stranger of [await bearer("lists", "ike"), await bearer("others", "hal")])
    for (const [method, path, body] of [
      ["GET", ""],
      ["POST", "", { title: "stolen" }],
      ["DELETE", ""],
      ["GET", "/items"],
      ["GET", "/branches"],
      ["GET", "/export"],
      ["GET", "/watch"],
      ["POST", "/items", { items: [message("x")] }],
      ["GET", `/items/${item}`],
      ["DELETE", `/items/${item}`],
    ] as const) {
      const theirs = await ask(method, `/v1/conversations/${id}${path}`, stranger, body);
      const none = await ask(method, `/v1/conversations/${id.slice(0, -1)}_${path}`, stranger, body);
      expect([method, path, theirs.status]).toEqual([method, path, 404]);
      expect(theirs).toEqual(none);
    }
  const turn = await post("/v1/chat/completions", await bearer("lists", "ike"), chat(id, "hello"));
  expect(turn.status).toBe(404);
  await turn.text();
  expect((await ask("GET", `/v1/conversations/${id}`, ann)).body).toMatchObject({ title: "mine" });
});

test("whoever takes out what each page shows meets all of it: items, and conversations", async () => {
  const ann = await bearer("lists", "tidy");
  const made: string[] = [];
  for (const at of [1, 2, 3]) made.push(await create(ann, { items: [message(`${at}`), message(`${at}!`)] }));
  await eventually(async () => expect(await list(ann)).toHaveLength(3));
  const met: unknown[] = [];
  for (const path of [`/v1/conversations/${made[0]}/items`, "/v1/conversations"]) {
    let after = "";
    for (let more = true; more;) {
      const page = await ask("GET", `${path}?limit=1${after}`, ann);
      expect(page.status).toBe(200);
      const [entry] = page.body["data"] as { id: string }[];
      met.push(entry?.id);
      expect((await ask("DELETE", `${path}/${entry?.id}`, ann)).status).toBe(200);
      await settled();
      if (path === "/v1/conversations")
        await eventually(async () => expect((await list(ann)).map(({ id }) => id)).not.toContain(entry?.id));
      after = `&after=${entry?.id}`;
      more = page.body["has_more"] === true;
    }
  }
  expect(met).toHaveLength(2 + 3);
  expect(await list(ann)).toEqual([]);
});
