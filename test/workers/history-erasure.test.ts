/** `DELETE /admin/history`, and what of conversations and stored answers the deletion of a tenant takes with it. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import demo from "../../config/tenants/demo.json";
import { contentPrefix } from "../../src/shared/content/large-content.ts";
import { completionIndexName, responseIndexName } from "../../src/shared/contracts/completion-index.ts";
import { conversationIndexName } from "../../src/shared/contracts/conversation-index.ts";
import { KeyedHash } from "../../src/shared/turn/keyed-hash.ts";
import { platformToken } from "./admin-fixture.ts";
import { bearer, post, putTenant, send } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { scriptedEdge } from "./scripted-edge.ts";

scriptedEdge({ forgetful: {}, lasting: {}, leaving: {}, returning: {}, abandoning: {} });

afterEach(() => void vi.useRealTimers());

const headers = (authorization: string) => ({ authorization, "content-type": "application/json" });
const question = { model: "auto", max_tokens: 20, messages: [{ role: "user", content: "zyzzyva" }] };

async function ask(method: string, path: string, authorization: string) {
  const response = await send(path, { method, headers: headers(authorization) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

interface History {
  readonly conversation: string;
  readonly completion: string;
  /** Outside of a conversation. */
  readonly response: string;
}

/** A conversation by the user's own name for it, and a stored answer; both in their lists. */
async function withHistory(authorization: string, name: string): Promise<History> {
  const path = "/v1/chat/completions";
  const said = await post(path, authorization, { ...question, conversation_id: name, store: false });
  expect(said.status).toBe(200);
  await said.text();
  const stored = (await (await post(path, authorization, { ...question, store: true })).json()) as {
    id: string;
  };
  const kept = await post("/v1/responses", authorization, { model: "auto", input: "zyzzyva" });
  const { id: response } = (await kept.json()) as { id: string };
  const history = { conversation: name, completion: stored.id, response };
  await eventually(async () => expect(await listed(authorization)).toContainEqual(name));
  await eventually(async () => expect(await listed(authorization)).toContainEqual(stored.id));
  return history;
}

async function listed(authorization: string): Promise<readonly string[]> {
  const lists = ["/v1/conversations", "/v1/chat/completions"].map((path) => ask("GET", path, authorization));
  return (await Promise.all(lists)).flatMap(({ body }) =>
    (body["data"] as { id: string }[]).map(({ id }) => id),
  );
}

async function statuses(authorization: string, { conversation, completion, response }: History) {
  return Promise.all(
    [
      `/v1/conversations/${conversation}`,
      `/v1/chat/completions/${completion}`,
      `/v1/responses/${response}`,
    ].map(async (path) => (await ask("GET", path, authorization)).status),
  );
}

const gone = (authorization: string, history: History) =>
  eventually(async () => expect(await statuses(authorization, history)).toEqual([404, 404, 404]));

test("an admin erases what one user said and was answered, and then what all were; both are in the log, and another tenant keeps its own", async () => {
  const admin = await bearer("forgetful", "root", { scope: "tenant:admin" });
  const [ann, bob] = [await bearer("forgetful", "ann"), await bearer("forgetful", "bob/2")];
  const other = await bearer("lasting", "ann");
  const [anns, bobs, others] = [
    await withHistory(ann, "talk"),
    await withHistory(bob, "talk"),
    await withHistory(other, "talk"),
  ];
  expect((await ask("DELETE", "/admin/history", ann)).status).toBe(403);
  expect(await ask("DELETE", "/admin/history?user=", admin)).toMatchObject({
    status: 400,
    body: { error: { param: "user" } },
  });
  expect((await ask("DELETE", "/admin/history?tenant=lasting", admin)).status).toBe(404);
  expect(await ask("DELETE", "/admin/history?user=ann", admin)).toMatchObject({
    status: 200,
    body: { object: "history.erased", tenant: "forgetful", user: "ann", pending: 0 },
  });
  expect(await listed(ann)).toEqual([]);
  await gone(ann, anns);
  expect(await statuses(bob, bobs)).toEqual([200, 200, 200]);
  // Nor is there a record of what was deleted: that there was something is erased as well.
  expect((await ask("GET", "/v1/conversation_deletions", ann)).body["data"]).toEqual([]);
  // Who was erased goes on at once, under the same name.
  await new Promise((resolve) => setTimeout(resolve, 2));
  const anew = await withHistory(ann, "talk");
  expect(await statuses(ann, anew)).toEqual([200, 200, 200]);
  expect((await ask("DELETE", "/admin/history", admin)).body).toMatchObject({ user: null, pending: 0 });
  expect(await listed(ann)).toEqual([]);
  expect(await listed(bob)).toEqual([]);
  await gone(ann, anew);
  await gone(bob, bobs);
  expect(await statuses(other, others)).toEqual([200, 200, 200]);
  const log = (await ask("GET", "/admin/audit", admin)).body["data"] as { action: string; subject: string }[];
  expect(log.filter(({ action }) => action === "history.erase").map(({ subject }) => subject)).toEqual([
    "forgetful",
    "user:ann",
  ]);
});

const dayMs = 86_400_000;

function listsOf(tenant: string, user: string) {
  const owner = { tenant, user };
  return [
    env.CONVERSATION_INDEX.getByName(conversationIndexName(owner)),
    env.COMPLETION_INDEX.getByName(completionIndexName(owner)),
    env.COMPLETION_INDEX.getByName(responseIndexName(owner)),
  ] as const;
}

async function tables(tenant: string, user: string): Promise<readonly unknown[]> {
  return Promise.all(
    listsOf(tenant, user).map((stub) =>
      runInDurableObject(
        stub as DurableObjectStub,
        (_index, { storage }) => storage.sql.exec("SELECT count(*) AS n FROM sqlite_master").one()["n"],
      ),
    ),
  );
}

async function later(ms: number, tenant: string, user: string): Promise<void> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
  for (const stub of listsOf(tenant, user)) await runDurableObjectAlarm(stub);
}

async function deleteTenant(id: string) {
  return ask("DELETE", `/admin/tenants/${id}`, `Bearer ${await platformToken()}`);
}

test("a tenant's deletion takes what its users said and were answered, also what is said while isolates still know it, and then its lists", async () => {
  const [ann, bob] = [await bearer("leaving", "ann"), await bearer("leaving", "bob")];
  const [anns, bobs] = [await withHistory(ann, "talk"), await withHistory(bob, "talk")];
  expect((await deleteTenant("leaving")).status).toBe(200);
  expect(await listed(ann)).toEqual([]);
  await gone(ann, anns);
  await gone(bob, bobs);
  // This isolate still knows it.
  const late = await withHistory(ann, "late");
  expect(await statuses(ann, late)).toEqual([200, 200, 200]);
  await later(600_000, "leaving", "");
  // One that comes by its name finds nothing.
  await putTenant("leaving", {});
  await gone(ann, late);
  expect(await listed(ann)).toEqual([]);
  for (const user of ["ann", "bob", ""]) await later(dayMs, "leaving", user);
  expect(await tables("leaving", "ann")).toEqual([0, 0, 0]);
  await later(dayMs, "leaving", "");
  expect(await tables("leaving", "")).toEqual([0, 0, 0]);
});

test("what a tenant's users say that was made anew, while the one before is looked for again, stays", async () => {
  const ann = await bearer("returning", "ann");
  const before = await withHistory(ann, "talk");
  expect((await deleteTenant("returning")).status).toBe(200);
  await gone(ann, before);
  await putTenant("returning", { keys: { created_after: Math.floor(Date.now() / 1000) + 1 } });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2_000 });
  const anew = await withHistory(ann, "talk");
  await later(600_000, "returning", "");
  expect(await listed(ann)).toEqual([anew.conversation, anew.completion]);
  expect(await statuses(ann, anew)).toEqual([200, 200, 200]);
});

test("what the bucket still holds under a deleted tenant's prefix, which no object knows of, goes; another's stays", async () => {
  const { FILES: bucket, EDGEWISE_SECRET: secret = "" } = env;
  if (bucket === undefined) throw new Error("a bucket");
  const [own, others] = await Promise.all(
    ["abandoning", "lasting"].map(async (id) => `${await contentPrefix(new KeyedHash(secret), id)}turn/x/y`),
  );
  await bucket.put(own ?? "", "left by a roll-back");
  await bucket.put(others ?? "", "another's");
  expect((await deleteTenant("abandoning")).status).toBe(200);
  await later(600_000, "abandoning", "");
  expect(await bucket.head(own ?? "")).toBeNull();
  expect(await bucket.head(others ?? "")).not.toBeNull();
});

test("whatever two tenants' users say, and whichever tenant is deleted and made again by its name: each finds what is theirs, and nothing of before", async () => {
  const [first] = demo.issuers;
  const put = async (id: string) => {
    const body = JSON.stringify({ ...demo, id, issuers: [{ ...first, issuer: `https://${id}.test` }] });
    const platform = headers(`Bearer ${await platformToken()}`);
    expect((await send(`/admin/tenants/${id}`, { method: "PUT", headers: platform, body })).status).toBe(200);
  };
  let worlds = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          does: fc.constantFrom("says", "says", "says", "erased", "remade"),
          who: fc.nat({ max: 3 }),
        }),
        { minLength: 4, maxLength: 10 },
      ),
      async (steps) => {
        worlds += 1;
        const users = [0, 1, 2, 3].map((who) => ({
          tenant: `pair-${worlds}-${who % 2}`,
          user: who < 2 ? "ann" : "bob",
        }));
        for (const tenant of new Set(users.map((one) => one.tenant))) await put(tenant);
        const tokens = await Promise.all(users.map(({ tenant, user }) => bearer(tenant, user)));
        const kept: History[][] = users.map(() => []);
        for (const [at, { does, who }] of steps.entries()) {
          const [own, token = ""] = [users[who], tokens[who]];
          if (own === undefined) throw new Error("one of four");
          // Nobody makes anything in the millisecond of an erasure.
          await new Promise((resolve) => setTimeout(resolve, 2));
          if (does === "says") kept[who]?.push(await withHistory(token, `talk ${at}`));
          if (does === "erased") {
            const platform = `Bearer ${await platformToken()}`;
            const query = new URLSearchParams(own).toString();
            expect((await ask("DELETE", `/admin/history?${query}`, platform)).status).toBe(200);
            kept[who]?.splice(0);
          }
          if (does === "remade") {
            expect((await deleteTenant(own.tenant)).status).toBe(200);
            await put(own.tenant);
            for (const one of [who, (who + 2) % 4]) kept[one]?.splice(0);
          }
        }
        for (const [who, token] of tokens.entries()) {
          const theirs = (kept[who] ?? []).flatMap(({ conversation, completion }) => [
            conversation,
            completion,
          ]);
          expect([...(await listed(token))].sort()).toEqual(theirs.sort());
          for (const history of kept[who] ?? [])
            expect(await statuses(token, history)).toEqual([200, 200, 200]);
        }
      },
    ),
    { numRuns: 6 },
  );
});
