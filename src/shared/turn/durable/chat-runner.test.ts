import { expect, test } from "vitest";
import { tenantConfigSchema } from "../../tenancy/tenant-config.ts";
import { parseChatRequest } from "../../wire/chat-request.ts";
import { writeNote } from "./run-note.ts";
import { createChatRunner } from "./chat-runner.ts";
import type { ChatTurnRequest } from "./chat-turn-end.ts";
import { idleIo, nothingLost } from "./idle-run-fixture.ts";
import type { Interruption, LostRun } from "./ports.ts";

function requestOf(): ChatTurnRequest {
  const chat = parseChatRequest('{"model":"auto","messages":[{"role":"user","content":"Hi"}]}');
  if (!chat.ok) throw new Error("no request");
  return {
    v: 1,
    responseId: "chatcmpl-t1",
    turnId: "t1",
    requestId: "r1",
    traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01`,
    principal: {
      tenant: "demo",
      org: "demo",
      user: "alice",
      tier: "free",
      scopes: [],
    } as unknown as ChatTurnRequest["principal"],
    tenant: tenantConfigSchema.parse({
      id: "demo",
      issuers: [
        {
          issuer: "https://issuer.test",
          audience: "edgewise",
          algorithms: ["HS256"],
          keys: { type: "secret", name: "SECRET" },
        },
      ],
    }),
    chat: chat.value,
    conversation: null,
    place: {},
    createdMs: 0,
  };
}

const runner = createChatRunner({
  // The configuration can't be read.
  turnDeps: async () => null,
  recall: () => Promise.reject(new Error("nothing is recalled")),
  openTools: () => Promise.reject(new Error("no tools were offered")),
  ground: () => null,
  record: () => undefined,
  now: () => 0,
  archives: false,
  signReceipt: async () => "",
});
const { signal } = new AbortController();

test("a run that begins anew and is refused gives back what the lost one had reserved; a first one reserved nothing", async () => {
  const text = JSON.stringify(requestOf());
  expect(await runner.run(text, idleIo, signal)).toMatchObject({ status: "refused", effects: [] });
  const again = await runner.resume?.(text, nothingLost)?.(idleIo, signal);
  expect(again).toMatchObject({
    status: "refused",
    effects: [{ kind: "settle", chargeId: "t1", user: "alice", tokens: 0, requests: 0, microdollars: 0 }],
  });
});

const told = (content: string) => ({
  data: JSON.stringify({
    id: "chatcmpl-t1",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
  }),
});
const answered = { model: "m", cluster: "c", replica: "r" };

test("what was delivered of a lost turn that does not go on is in its conversation, where it began; who waited for all of it has had nothing", () => {
  const conversation = { id: "my-chat", objectName: "object", mustExist: false };
  const whole = { ...requestOf(), conversation };
  const text = JSON.stringify({ ...whole, chat: { ...whole.chat, stream: true } });
  const interruption: Interruption = {
    reason: "lost",
    opened: true,
    usage: { promptTokens: 10, completionTokens: 1, cachedTokens: 0, reasoningTokens: 0 },
    note: writeNote({ ...answered, entered: { incarnation: 3, behind: "br_2" } }),
    kept: null,
    events: () => [told("Hel")],
    nowMs: 0,
  };
  expect(runner.interrupted(text, interruption).effects).toMatchObject([
    { kind: "settle", tokens: 11 },
    {
      kind: "append",
      objectName: "object",
      incarnation: 3,
      behind: "br_2",
      items: [
        { role: "user" },
        { role: "assistant", json: expect.stringContaining('"incomplete"') as string },
      ],
    },
  ]);
  // Older code's note says no branch; and where none was written, nobody knows whose conversation it was.
  const older = JSON.stringify({ ...answered, incarnation: 3 });
  expect(runner.interrupted(text, { ...interruption, note: older }).effects).toMatchObject([
    {},
    { kind: "append", incarnation: 3, behind: null },
  ]);
  expect(runner.interrupted(text, { ...interruption, note: null }).effects).toHaveLength(1);
  for (const [reason, tokens] of [
    ["lost", 0],
    ["threw", 0],
    ["deadline", 11],
    ["cancelled", 11],
  ] as const) {
    const { effects } = runner.interrupted(JSON.stringify(whole), { ...interruption, reason });
    expect(effects).toMatchObject([
      { kind: "settle", tokens, requests: 1 },
      // Where nothing is kept the conversation hears of the turn all the same, for its deletion.
      tokens === 0 ? { kind: "append", items: [], began: 3 } : { kind: "append", items: [{}, {}] },
    ]);
  }
});

test("a lost turn goes on only where its journal's note says who answered, and its usage how much was delivered", () => {
  const text = JSON.stringify(requestOf());
  const begun: LostRun = {
    ...nothingLost,
    events: () => [told("Hel")],
    usage: { promptTokens: 10, completionTokens: 1, cachedTokens: 0, reasoningTokens: 0 },
    note: writeNote({ ...answered, entered: null }),
  };
  expect(runner.resume?.(text, begun)).toBeTypeOf("function");
  expect(runner.resume?.(text, { ...begun, note: null })).toBeNull();
  expect(runner.resume?.(text, { ...begun, usage: null })).toBeNull();
});
