import { expect, test } from "vitest";
import { tenantConfigSchema } from "../../tenancy/tenant-config.ts";
import { parseChatRequest } from "../../wire/chat-request.ts";
import { createChatRunner } from "./chat-runner.ts";
import type { ChatTurnRequest } from "./chat-turn-end.ts";
import type { LostRun, TurnIo } from "./ports.ts";

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
  record: () => undefined,
  now: () => 0,
  archives: false,
  signReceipt: async () => "",
});
const io: TurnIo = {
  nextSequence: 0,
  open: () => undefined,
  emit: () => true,
  progress: () => undefined,
  remember: () => undefined,
};
const lost: LostRun = { events: () => [], usage: null, note: null, isFindable: true };
const { signal } = new AbortController();

test("a run that begins anew and is refused gives back what the lost one had reserved; a first one reserved nothing", async () => {
  const text = JSON.stringify(requestOf());
  expect(await runner.run(text, io, signal)).toMatchObject({ status: "refused", effects: [] });
  const again = await runner.resume?.(text, lost)?.(io, signal);
  expect(again).toMatchObject({
    status: "refused",
    effects: [{ kind: "settle", chargeId: "t1", user: "alice", tokens: 0, requests: 0, microdollars: 0 }],
  });
});
