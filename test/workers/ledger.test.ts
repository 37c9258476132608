/**
 * Do the archive, the tenant's usage book and the receipts say the same of what was charged? A load of everything that costs something, of the
 * Worker as it ships: each charge that is booked has one row, each row its charge, each receipt is what its row says.
 */
import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { bucketStub } from "../../durable-objects/token-bucket/bucket-stub.ts";
import { bucketName } from "../../src/shared/limits/bucket-name.ts";
import { readArchiveMessage, type TurnMessage } from "../../src/shared/archive/message.ts";
import { tenantUsageSchema } from "../../src/shared/wire/usage-responses.ts";
import { isolateOf } from "../../workers/edge/isolate.ts";
import { platformToken } from "./admin-fixture.ts";
import { chatLine, resultsOf, startBatch, untilStatus } from "./batch-fixture.ts";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { callerOf } from "./knowledge-fixture.ts";
import { verified } from "./receipt-reading.ts";
import { limitless, scriptedEdge } from "./scripted-edge.ts";
import { calls, says } from "./tool-server.ts";

const rows: TurnMessage[] = [];
const queue = {
  async sendBatch(messages: Iterable<{ readonly body: unknown }>) {
    for (const { body } of messages) {
      const read = readArchiveMessage(JSON.parse(JSON.stringify(body)));
      if (!read.ok) throw new Error(read.error);
      if (read.value.kind === "turn" && read.value.tenant === tenant) rows.push(read.value);
    }
  },
} as unknown as Queue;

const tenant = "ledgered";
// The first one decides what the isolate is built from.
isolateOf({ ...env, ARCHIVE: "on", ARCHIVE_QUEUE: queue });
const engine = scriptedEdge({
  [tenant]: {
    limits: limitless,
    receipts: "on",
    tools: { calculator: true },
    conversations: { title_model: "auto" },
    safety: { moderation: { input: "block", model: "guard" } },
  },
});
const orgs = ["red", "blue"] as const;

type Json = Record<string, unknown>;
const chat = (content: string, more: object = {}) => ({
  model: "auto",
  max_tokens: 50,
  temperature: 1,
  messages: [{ role: "user", content }],
  ...more,
});

/** Everything once, for a user of that org. @returns the receipts that its client got */
async function everything(org: (typeof orgs)[number]): Promise<readonly string[]> {
  const claims = { tier: "pro", org };
  const authorization = await bearer(tenant, `user-of-${org}`, claims);
  const caller = await callerOf(tenant, `user-of-${org}`, claims);
  const receipts: string[] = [];
  const keep = (body: unknown): void => {
    const found = (body as { edgewise?: { receipt?: string } } | undefined)?.edgewise?.receipt;
    if (found !== undefined) receipts.push(found);
  };
  const ask = async (path: string, body: object, status = 200): Promise<Json> => {
    const response = await post(path, authorization, body);
    const json = (await response.json()) as Json;
    expect([path, response.status]).toEqual([path, status]);
    keep(json);
    return json;
  };

  await ask("/v1/chat/completions", chat("whole"));
  const streamed = await post("/v1/chat/completions", authorization, chat("in a stream", { stream: true }));
  for (const line of (await streamed.text()).split("\n"))
    if (line.startsWith("data: {")) keep(JSON.parse(line.slice(6)));
  for (let times = 0; times < 2; times += 1)
    await ask("/v1/chat/completions", chat(`the same in ${org}`, { temperature: 0 }));
  await ask("/v1/chat/completions", chat("kept", { store: true }));
  await ask("/v1/chat/completions", chat("in a conversation", { conversation_id: "talk" }));
  await ask("/v1/completions", { model: "llama-3.1-8b", prompt: "Once", max_tokens: 5 });
  engine.rounds.push(calls(["calculator", { expression: "2*3" }]), says("It is", " 6."));
  const answered = await ask("/v1/responses", { model: "auto", input: "2*3?", max_output_tokens: 50 });
  expect(answered).toMatchObject({ usage: { input_tokens: 20, output_tokens: 3 } });
  engine.rounds.length = 0;
  await ask("/v1/responses/input_tokens", { model: "auto", input: "How long is this?" });
  await ask("/v1/embeddings", { model: "bge-small", input: ["One", "Two"] });
  await ask("/v1/moderations", { input: "Hello" });
  await ask("/v1/moderations", { model: "guard", input: "Hello" });
  guardSays = ["What", " a", " question"];
  await ask("/v1/moderations", { model: "guard", input: "Answer me." }, 400);
  guardSays = ["safe"];

  // What comes to nothing, or to less.
  await ask("/v1/chat/completions", chat("to nobody", { model: "no-such-model" }), 404);
  engine.script = { deltas: [], finish: null, status: 500 };
  await ask("/v1/chat/completions", chat("to a fleet that is down", { store: true }), 503);
  engine.script = null;
  guardSays = ["unsafe\n", "S1"];
  await ask("/v1/chat/completions", chat("what the guard blocks"), 400);
  guardSays = ["safe"];
  engine.pause = { at: 1, until: new Promise(() => undefined) };
  const left = await post("/v1/chat/completions", authorization, chat("left early", { stream: true }));
  const reader = left.body?.getReader();
  await reader?.read();
  await reader?.cancel();
  const before = engine.asked.length;
  const begun = await ask("/v1/responses", { model: "auto", input: "Cancel me", background: true });
  await expect.poll(() => engine.asked.length).toBeGreaterThan(before);
  await send(`/v1/responses/${String(begun["id"])}/cancel`, { method: "POST", headers: { authorization } });
  engine.pause = null;

  for (const [endpoint, lines] of [
    ["/v1/chat/completions", [chatLine("a", "One"), chatLine("wrong", "Two", { temperature: 9 })]],
    ["/v1/embeddings", [lineOf("/v1/embeddings", { model: "bge-small", input: "One" })]],
    ["/v1/moderations", [lineOf("/v1/moderations", { input: "Hello" })]],
    ["/v1/completions", [lineOf("/v1/completions", { model: "llama-3.1-8b", prompt: "Once" })]],
  ] as const) {
    const id = await startBatch(caller, lines, { endpoint });
    const batch = await untilStatus(caller, id, "completed");
    for (const { response } of await resultsOf(caller, batch.output_file_id)) keep(response?.body);
  }
  return receipts;
}

function lineOf(url: string, body: object): string {
  return JSON.stringify({ custom_id: "a", method: "POST", url, body });
}

/** What the guard model says. */
let guardSays: readonly string[] = ["safe"];

function guarded(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  if (typeof init?.body === "string" && init.body.includes("Llama-Guard")) engine.wholes.unshift(guardSays);
  return engine.fetch(input, init);
}

interface Sum {
  requests: number;
  tokens: number;
  microdollars: number;
}

function sums(): Map<string, Sum> {
  const byPlace = new Map<string, Sum>();
  for (const { org, model, promptTokens, completionTokens, microdollars } of rows) {
    // Whom no model answered is charged nothing, and is in no book.
    if (model === null) continue;
    const sum = byPlace.get(`${org} ${model}`) ?? { requests: 0, tokens: 0, microdollars: 0 };
    sum.requests += 1;
    sum.tokens += promptTokens + completionTokens;
    sum.microdollars += microdollars ?? Number.NaN;
    byPlace.set(`${org} ${model}`, sum);
  }
  return byPlace;
}

async function book(): Promise<Map<string, Sum>> {
  for (const org of orgs) {
    const address = { name: bucketName(tenant, "org", org), jurisdiction: "none" } as const;
    await runDurableObjectAlarm(bucketStub(env.TOKEN_BUCKET, address, false));
  }
  const response = await send(`/admin/usage?tenant=${tenant}&group_by=org,model`, {
    headers: { authorization: `Bearer ${await platformToken()}` },
  });
  const { data } = tenantUsageSchema.parse(await response.json());
  return new Map(
    data.map(({ org, model, requests, tokens, cost_usd: cost }) => [
      `${org} ${model}`,
      { requests, tokens, microdollars: Math.round(cost * 1_000_000) },
    ]),
  );
}

test("over a load of everything the archive's rows, the usage book and the receipts say the same, to the token and the millionth of a dollar", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  vi.mocked(globalThis.fetch).mockImplementation(guarded);
  const receipts: string[] = [];
  for (const org of orgs) receipts.push(...(await everything(org)));
  await settled();
  await eventually(async () => {
    const [booked, archived] = [await book(), sums()];
    expect(Object.fromEntries(archived)).toEqual(Object.fromEntries(booked));
    expect(archived.size).toBeGreaterThan(6);
  });
  const ids = rows.map(({ chargeId }) => chargeId);
  expect(new Set(ids).size).toBe(ids.length);

  const byResponse = new Map(rows.map((row) => [row.responseId, row]));
  const received = new Set<string>();
  for (const receipt of receipts) {
    const claims = await verified(receipt);
    received.add(claims.jti);
    const row = byResponse.get(claims.jti);
    expect(claims).toMatchObject({
      org: row?.org,
      user: row?.user,
      model: row?.model,
      usage: { prompt_tokens: row?.promptTokens, completion_tokens: row?.completionTokens },
      cost: (row?.microdollars ?? Number.NaN) / 1_000_000,
    });
  }
  // Without a receipt is what cost nothing, what nobody asked for, and whose client did not stay for it.
  const unreceived = rows.filter(({ responseId }) => !received.has(responseId));
  const paid = unreceived.filter(({ microdollars }) => microdollars !== 0);
  expect(paid.map(({ endpoint }) => endpoint)).toContain("generation");
  for (const { endpoint, status } of paid)
    expect([
      "generation completed",
      "/v1/moderations failed",
      "/v1/chat/completions cancelled",
      "/v1/responses cancelled",
    ]).toContain(`${endpoint} ${status}`);
});
