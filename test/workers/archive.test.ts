/** Turns and deletions on their way to the archive, inside workerd: the edge and its objects, with a queue that can be away. */
import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import devFleet from "../../config/fleet.dev.json";
import { ConversationDuties } from "../../durable-objects/conversation/conversation-duties.ts";
import { ConversationStore } from "../../durable-objects/conversation/conversation-store.ts";
import { readArchiveMessage, type EraseMessage, type TurnMessage } from "../../src/shared/archive/message.ts";
import { isolateOf } from "../../workers/edge/isolate.ts";
import { bearer, post, putTenant, send, settled } from "./edge-under-test.ts";
import { ScriptedEngine } from "./scripted-engine.ts";
import { eventually } from "./eventually.ts";

const engine = new ScriptedEngine();
const sent: (TurnMessage | EraseMessage)[] = [];
let away = false;
const queue = {
  async sendBatch(messages: Iterable<{ readonly body: unknown }>) {
    if (away) throw new Error("the queue is away");
    for (const { body } of messages) {
      const read = readArchiveMessage(JSON.parse(JSON.stringify(body)));
      if (!read.ok) throw new Error(read.error);
      sent.push(read.value);
    }
  },
} as unknown as Queue;
/** Its first cluster may answer tenants of the EU. */
const fleet = {
  ...devFleet,
  clusters: devFleet.clusters.map((cluster, at) => ({ ...cluster, jurisdiction: at === 0 ? "eu" : "none" })),
};
const archiving = { ...env, FLEET: JSON.stringify(fleet), ARCHIVE: "on", ARCHIVE_QUEUE: queue } as const;

beforeAll(async () => {
  // The first one decides what the isolate is built from.
  isolateOf(archiving);
  vi.spyOn(globalThis, "fetch").mockImplementation(engine.fetch);
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  await putTenant("kept", {});
  await putTenant("counted", { archive: { keep: "usage" } });
  await putTenant("unkept", { archive: { keep: "nothing" } });
  await putTenant("european", { jurisdiction: "eu" });
});
beforeEach(() => {
  engine.tokens = ["Hello", " there"];
  engine.pause = null;
  sent.length = 0;
  away = false;
});
afterAll(() => void vi.restoreAllMocks());

const say = (content: string, more: object = {}) => ({
  model: "auto",
  max_tokens: 50,
  messages: [{ role: "user", content }],
  ...more,
});

function turns(): TurnMessage[] {
  return sent.filter((message) => message.kind === "turn");
}

function erasures(): EraseMessage[] {
  return sent.filter((message) => message.kind === "erase");
}

async function answered(authorization: string, body: object): Promise<string> {
  const response = await post("/v1/chat/completions", authorization, body);
  expect(response.status).toBe(200);
  await response.text();
  await settled();
  return response.headers.get("x-edgewise-response-id") ?? "";
}

describe("a durable turn", () => {
  it("has one row with its place in the conversation, its charge and its content", async () => {
    const ann = await bearer("kept", "ann");
    const first = await answered(ann, say("I am Ann.", { conversation_id: "c1" }));
    await eventually(() => expect(turns()).toHaveLength(1));
    await answered(ann, say("Who am I?", { conversation_id: "c1", stream: true }));
    await eventually(() => expect(turns()).toHaveLength(2));
    const [one, two] = turns();
    expect(one).toMatchObject({
      tenant: "kept",
      user: "ann",
      way: "durable",
      endpoint: "/v1/chat/completions",
      responseId: first,
      status: "completed",
      attempts: 1,
      promptTokens: 10,
      completionTokens: 2,
      basis: "exact",
      content: { kind: "inline", items: [{ role: "user" }, { role: "assistant" }] },
    });
    expect(one?.conversation).toBe(two?.conversation);
    expect((two?.sequence ?? 0) - (one?.sequence ?? 0)).toBe(2);
    expect(JSON.stringify(two?.content)).toContain("Who am I?");
  });

  it("that is stored by its id alone has its content, and one that is not has none", async () => {
    const ann = await bearer("kept", "ann-2");
    await answered(ann, say("Keep this.", { store: true }));
    await eventually(() => expect(turns()).toHaveLength(1));
    const key = crypto.randomUUID();
    await send("/v1/chat/completions", {
      method: "POST",
      headers: { authorization: ann, "content-type": "application/json", "idempotency-key": key },
      body: JSON.stringify(say("Not this.")),
    });
    await eventually(() => expect(turns()).toHaveLength(2));
    expect(JSON.stringify(turns()[0]?.content)).toContain("Keep this.");
    expect(turns()[1]?.content).toEqual({ kind: "left-out", reason: "none" });
    expect(JSON.stringify(sent)).not.toContain("Not this.");
  });

  it("of the Responses API is one as well: kept with its content unless it says store: false", async () => {
    const ann = await bearer("kept", "responding");
    const ask = async (input: string, more: object = {}): Promise<string> => {
      const response = await post("/v1/responses", ann, {
        model: "auto",
        max_output_tokens: 50,
        input,
        ...more,
      });
      const { id } = (await response.json()) as { id: string };
      await settled();
      return id;
    };
    const kept = await ask("Keep my response.");
    await eventually(() => expect(turns()).toHaveLength(1));
    const unkept = await ask("Keep nothing.", { store: false });
    await eventually(() => expect(turns()).toHaveLength(2));
    expect(turns()).toMatchObject([
      { endpoint: "/v1/responses", responseId: kept, completionTokens: 2, content: { kind: "inline" } },
      { endpoint: "/v1/responses", responseId: unkept, content: { kind: "left-out", reason: "none" } },
    ]);
    expect(JSON.stringify(sent)).not.toContain("Keep nothing.");
    const removed = await send(`/v1/responses/${kept}`, {
      method: "DELETE",
      headers: { authorization: ann },
    });
    expect(removed.status).toBe(200);
    expect(erasures()).toMatchObject([{ scope: "response", key: kept }]);
  });

  it("is handed over by its object's alarm, once, when the queue was away; the client noticed nothing", async () => {
    away = true;
    const ann = await bearer("kept", "ann-3");
    const id = await answered(ann, say("While you are away.", { conversation_id: "c3" }));
    expect(sent).toEqual([]);
    const name = id.slice("chatcmpl-".length, "chatcmpl-".length + 27);
    away = false;
    await abortAllDurableObjects();
    await eventually(async () => {
      await runInDurableObject(env.GENERATION.getByName(name), (object) => object.alarm?.());
      expect(turns()).toHaveLength(1);
    });
    expect(turns()[0]).toMatchObject({ responseId: id, sequence: expect.any(Number) as number });
  });

  it("of a tenant with a jurisdiction sends its charge, and no word of what was said", async () => {
    await answered(await bearer("european", "ann"), say("Bonjour.", { conversation_id: "c" }));
    await eventually(() => expect(turns()).toHaveLength(1));
    expect(turns()[0]).toMatchObject({
      completionTokens: 2,
      content: { kind: "left-out", reason: "jurisdiction" },
    });
    expect(JSON.stringify(sent)).not.toContain("Bonjour");
    expect(JSON.stringify(sent)).not.toContain("there");
  });

  it("sends what its tenant keeps: the charge alone, or nothing", async () => {
    await answered(await bearer("counted", "ann"), say("Count me.", { conversation_id: "c" }));
    await eventually(() => expect(turns()).toHaveLength(1));
    expect(turns()[0]?.content).toEqual({ kind: "left-out", reason: "policy" });
    await answered(await bearer("unkept", "ann"), say("Forget me.", { conversation_id: "c" }));
    await answered(await bearer("unkept", "ann"), say("Forget me."));
    await answered(await bearer("counted", "ann"), say("Count me again.", { conversation_id: "c" }));
    await eventually(() => expect(turns()).toHaveLength(2));
    expect(turns().map(({ tenant }) => tenant)).toEqual(["counted", "counted"]);
  });
});

describe("a direct turn", () => {
  it("has a row without content, behind the answer", async () => {
    const id = await answered(
      await bearer("kept", "dan"),
      say("Just once.", { stream: true, temperature: 1 }),
    );
    await eventually(() => expect(turns()).toHaveLength(1));
    expect(turns()[0]).toMatchObject({
      way: "direct",
      chargeId: id,
      responseId: id,
      conversation: null,
      completionTokens: 2,
      content: { kind: "left-out", reason: "none" },
    });
  });

  it("is answered as ever while the queue is away", async () => {
    away = true;
    await answered(await bearer("kept", "dan-2"), say("Are you there?", { temperature: 1 }));
  });
});

describe("a deletion", () => {
  it("of a stored answer erases it in the archive first, and waits for nothing else", async () => {
    const ann = await bearer("kept", "del");
    const id = await answered(ann, say("Delete this.", { store: true }));
    // What the turn itself has to tell is not to come while the queue is away.
    await eventually(() => expect(turns()).toHaveLength(1));
    const remove = () =>
      send(`/v1/chat/completions/${id}`, { method: "DELETE", headers: { authorization: ann } });
    away = true;
    expect((await remove()).status).toBe(503);
    away = false;
    expect((await remove()).status).toBe(200);
    expect(erasures()).toMatchObject([{ scope: "response", tenant: "kept", key: id }]);
    // Of another user's, the archive is not asked.
    sent.length = 0;
    const theirs = await send(`/v1/chat/completions/${id}`, {
      method: "DELETE",
      headers: { authorization: await bearer("kept", "somebody") },
    });
    expect(theirs.status).toBe(404);
    expect(sent).toEqual([]);
  });

  it("of a conversation tells the archive until it knows, up to the time of the deletion", async () => {
    const owner = { tenant: "kept", user: "conv" };
    const name = `conversation-${crypto.randomUUID()}`;
    const deletedMs = Date.now();
    await runInDurableObject(env.CONVERSATION.getByName(name), async (_object, state) => {
      const store = new ConversationStore(state.storage);
      store.open("mine", owner, "{}", deletedMs - 1);
      store.erase([], {
        id: "del_1",
        conversationId: null,
        deletedMs,
        items: 0,
        turns: 0,
        turnsPending: 0,
        recoverableUntilMs: deletedMs,
      });
      const duties = new ConversationDuties(state, archiving, () => store);
      away = true;
      await duties.run();
      expect(store.doomed.count()).toBe(1);
      expect(await state.storage.getAlarm()).not.toBeNull();
      away = false;
      await duties.run();
      expect(store.doomed.count()).toBe(0);
      expect(erasures()).toMatchObject([
        { scope: "conversation", tenant: "kept", key: name, beforeMs: deletedMs },
      ]);
      await duties.run();
      expect(erasures()).toHaveLength(1);
    });
  });
});
