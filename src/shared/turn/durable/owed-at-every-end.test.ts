import { expect, test } from "vitest";
import type { Effect, LostRun, TurnIo, TurnOutcome, TurnRunner } from "./ports.ts";
import { owingAtEveryEnd } from "./owed-at-every-end.ts";

const request = JSON.stringify({
  v: 1,
  turnId: "t1",
  responseId: "chatcmpl-t1",
  principal: { tenant: "demo", user: "alice" },
  tenant: { jurisdiction: "none", journal: { retention_days: 30 } },
  createdMs: 7,
  stored: true,
  chat: {},
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
const failed: TurnOutcome = {
  status: "failed",
  events: [],
  response: '{"status":"failed"}',
  usage: { promptTokens: 0, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 },
  basis: "estimated",
  effects: [],
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
const lost: LostRun = { events: () => [], usage: null, note: null, kept: null, isFindable: true };
const release = { kind: "append", objectName: "c", incarnation: 0, items: [] };

test("a turn that leaves nothing releases its conversation, also where its run was lost and went on", async () => {
  const { signal } = new AbortController();
  const releasing = owingAtEveryEnd(runner);
  const resumed = releasing.resume?.(request, lost);
  const ends = [
    await releasing.run(request, io, signal),
    await resumed?.(io, signal),
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
  const ends = [failed, refused].map((outcome) => {
    const releasing = owingAtEveryEnd({ ...runner, run: async () => outcome });
    return releasing.run(request, io, new AbortController().signal);
  });
  const [[kept], [gone]] = (await Promise.all(ends)).map(({ effects }) => effects) as [Effect[], Effect[]];
  expect(kept).toMatchObject({
    ...release,
    responseId: "chatcmpl-t1",
    askedMs: 7,
    keptMs: 30 * 86_400_000,
  });
  expect(gone).not.toHaveProperty("responseId");
});

const saved: Effect = {
  kind: "append",
  jurisdiction: "none",
  objectName: "c",
  owner: { tenant: "demo", user: "alice" },
  conversationId: "my-chat",
  mustExist: false,
  incarnation: 1,
  items: [{ type: "message", role: "user", json: "{}" }],
};

test.for([
  { where: "outside of a conversation", conversation: null, effects: [], isListed: true },
  { where: "in one that it left nothing in", effects: [], isListed: true },
  { where: "in one that it released itself", effects: [{ ...saved, items: [] }], isListed: true },
  { where: "in one that has it", effects: [saved], isListed: false },
])(
  "a response that can be had by its id, $where: its owner's list hears of it, however it ended ($isListed)",
  async ({ effects, isListed, ...more }) => {
    const text = JSON.stringify({ ...JSON.parse(request), response: {}, ...more });
    const end: TurnOutcome = { ...failed, effects };
    const owing = owingAtEveryEnd({
      run: async () => end,
      resume: () => async () => end,
      interrupted: () => end,
    });
    const { signal } = new AbortController();
    const interruption = { reason: "lost", opened: true, usage: null, note: null, kept: null } as const;
    const ends = [
      await owing.run(text, io, signal),
      await owing.resume?.(text, lost)?.(io, signal),
      owing.interrupted(text, { ...interruption, events: () => [], nowMs: 0 }),
    ];
    const list = { kind: "list", owner: saved.owner, responseId: "chatcmpl-t1", jurisdiction: "none" };
    for (const { effects: owed = [] } of ends.map((one) => one ?? end))
      expect(owed.filter(({ kind }) => kind === "list")).toEqual(isListed ? [list] : []);
  },
);

test("whoever can't go on with a lost turn still can't", () => {
  expect(owingAtEveryEnd({ ...runner, resume: () => null }).resume?.(request, lost)).toBeNull();
});
