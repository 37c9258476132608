import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { itemsOfMessages } from "../../src/shared/turn/durable/conversation-items.ts";
import type { ChatMessage } from "../../src/shared/wire/chat-messages.ts";
import { deliverAppend } from "./deliver-append.ts";
import { loadHistory } from "./load-history.ts";

const owner = { tenant: "demo", user: "alice" };
const asked = { owner, jurisdiction: "none", limitTokens: 8192 } as const;

test("what one turn appends, the next one loads", async () => {
  const conversation = { id: "my-chat", objectName: "load-history-1", mustExist: false };
  expect(await loadHistory(env.CONVERSATION, "local", { ...asked, conversation })).toEqual({
    ok: true,
    value: { messages: [], truncated: false, incarnation: 1, behind: "br_0" },
  });
  const messages: ChatMessage[] = [
    { role: "user", content: "My name is Ada." },
    { role: "assistant", content: "Hello, Ada." },
  ];
  const effect = {
    kind: "append",
    jurisdiction: "none",
    objectName: conversation.objectName,
    owner,
    conversationId: conversation.id,
    mustExist: false,
    incarnation: 1,
    items: itemsOfMessages(messages),
  } as const;
  expect(await deliverAppend(env.CONVERSATION, "local", effect, "turn-1")).toEqual({
    result: "acknowledged",
    sequence: 1,
  });
  expect(await loadHistory(env.CONVERSATION, "local", { ...asked, conversation })).toMatchObject({
    ok: true,
    value: { messages },
  });
});

test("a conversation of ours that does not exist is an object unknown", async () => {
  const conversation = { id: "conv_x", objectName: "load-history-2", mustExist: true };
  expect(await loadHistory(env.CONVERSATION, "local", { ...asked, conversation })).toEqual({
    ok: false,
    error: { kind: "object-unknown" },
  });
});
