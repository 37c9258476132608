import { expect, test } from "vitest";
import { idleIo, nothingLost } from "./idle-run-fixture.ts";
import type { Effect, TurnOutcome, TurnRunner } from "./ports.ts";
import { releasingConversation } from "./releasing-conversation.ts";

const request = JSON.stringify({
  v: 1,
  turnId: "t1",
  responseId: "chatcmpl-t1",
  principal: { tenant: "demo", user: "alice" },
  tenant: { jurisdiction: "none" },
  conversation: { objectName: "c", id: "my-chat", mustExist: false },
});
const refused: TurnOutcome = {
  status: "refused",
  refusal: { kind: "internal", detail: "" },
  headers: {},
  effects: [],
};
const runner: TurnRunner = {
  run: async () => refused,
  resume: () => async () => refused,
  interrupted: () => refused,
};
const release = { kind: "append", objectName: "c", incarnation: 0, items: [] };

test("a turn that leaves nothing releases its conversation, also where its run was lost and went on", async () => {
  const { signal } = new AbortController();
  const releasing = releasingConversation(runner);
  const resumed = releasing.resume?.(request, nothingLost);
  const ends = [
    await releasing.run(request, idleIo, signal),
    await resumed?.(idleIo, signal),
    releasing.interrupted(request, {
      reason: "lost",
      opened: false,
      usage: null,
      note: null,
      kept: null,
      events: () => [],
      nowMs: 0,
    }),
  ];
  for (const end of ends) expect(end?.effects).toMatchObject([release]);
});

test("a conversation hears which object holds what was asked, where that is kept without an answer", async () => {
  const failed: TurnOutcome = {
    status: "failed",
    events: [],
    response: '{"status":"failed"}',
    usage: { promptTokens: 0, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 },
    basis: "estimated",
    effects: [],
  };
  const ends = [failed, refused].map((outcome) => {
    const releasing = releasingConversation({ ...runner, run: async () => outcome });
    return releasing.run(request, idleIo, new AbortController().signal);
  });
  const [[kept], [gone]] = (await Promise.all(ends)).map(({ effects }) => effects) as [Effect[], Effect[]];
  expect(kept).toMatchObject({ ...release, responseId: "chatcmpl-t1" });
  expect(gone).not.toHaveProperty("responseId");
});

test("whoever can't go on with a lost turn still can't", () => {
  expect(releasingConversation({ ...runner, resume: () => null }).resume?.(request, nothingLost)).toBeNull();
});
