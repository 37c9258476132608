import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { Effect } from "../../src/shared/turn/durable/ports.ts";
import { deliverAppend } from "./deliver-append.ts";

const effect: Extract<Effect, { kind: "append" }> = {
  kind: "append",
  jurisdiction: "none",
  objectName: "deliver-append-test",
  owner: { tenant: "demo", user: "alice" },
  conversationId: "my-chat",
  mustExist: false,
  incarnation: 1,
  items: [{ type: "message", role: "user", json: '{"type":"message","role":"user","content":"Hi"}' }],
};

test("a turn that is delivered again is told as such: what is made of it once is made and paid once", async () => {
  const deliver = () => deliverAppend(env.CONVERSATION, "local", effect, "t1");
  expect(await deliver()).toEqual({ result: "acknowledged", sequence: 1 });
  expect(await deliver()).toEqual({ result: "acknowledged", sequence: 1, again: true });
});

test("a turn whose conversation was deleted is not saved, as was asked; one that can't be saved is told", async () => {
  const deliver = (more: Partial<typeof effect>) =>
    deliverAppend(env.CONVERSATION, "local", { ...effect, objectName: "deliver-deleted", ...more }, "t1");
  expect(await deliver({})).toMatchObject({ sequence: 1 });
  const { owner, conversationId: id } = effect;
  await env.CONVERSATION.getByName("deliver-deleted").delete({ v: 1, owner, id });
  expect(await deliver({})).toEqual({ result: "acknowledged" });
  const stranger = { tenant: "demo", user: "bob" };
  expect(await deliver({ owner: stranger })).toEqual({ result: "acknowledged", detail: "unknown" });
});
