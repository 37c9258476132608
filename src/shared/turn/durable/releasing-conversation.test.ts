import { expect, test } from "vitest";
import type { LostRun, TurnIo, TurnOutcome, TurnRunner } from "./ports.ts";
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
const io: TurnIo = {
  nextSequence: 0,
  open: () => undefined,
  emit: () => true,
  progress: () => undefined,
  write: () => undefined,
  remember: () => undefined,
  keep: () => undefined,
};
const lost: LostRun = { events: () => [], usage: null, note: null, isFindable: true };
const release = { kind: "append", objectName: "c", incarnation: 0, items: [], responseId: "chatcmpl-t1" };

test("a turn that leaves nothing releases its conversation, also where its run was lost and went on", async () => {
  const { signal } = new AbortController();
  const releasing = releasingConversation(runner);
  const resumed = releasing.resume?.(request, lost);
  const ends = [
    await releasing.run(request, io, signal),
    await resumed?.(io, signal),
    releasing.interrupted(request, {
      reason: "lost",
      opened: false,
      usage: null,
      note: null,
      events: () => [],
      nowMs: 0,
    }),
  ];
  for (const end of ends) expect(end?.effects).toMatchObject([release]);
});

test("whoever can't go on with a lost turn still can't", () => {
  expect(releasingConversation({ ...runner, resume: () => null }).resume?.(request, lost)).toBeNull();
});
