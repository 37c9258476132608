import { expect, test } from "vitest";
import { decideEntry, stillRunning, type EnteringTurn, type RunningTurn } from "./turn-order.ts";

const running: RunningTurn = { turnId: "a", responseId: "ra", beganMs: 0, leaseMs: 1000, input: null };
const entering: EnteringTurn = {
  turnId: "b",
  responseId: "rb",
  input: null,
  policy: "queue",
  waitMs: 100,
  maxWaiting: 2,
  runMs: 1000,
  gone: [],
  cancelled: [],
};

test.for([
  ["nobody is there", {}, [], 0, "enter"],
  ["others were first, though none runs at the moment", {}, [], 1, "wait"],
  ["one runs", {}, [running], 0, "wait"],
  ["one runs, and the queue is full", {}, [running], 2, "busy"],
  ["one runs, and the policy rejects", { policy: "reject" }, [running], 0, "busy"],
  ["one runs, and is to be replaced", { policy: "replace" }, [running], 0, "busy"],
  ["the one that is replaced ends", { policy: "replace", cancelled: ["a"] }, [running], 5, "wait"],
  ["it runs itself", { turnId: "a", policy: "reject" }, [running], 3, "enter"],
] as const)("%s", ([, more, runs, waiting, kind]) => {
  expect(decideEntry({ ...entering, ...more }, runs, waiting).kind).toBe(kind);
});

test("a turn whose time is over, or that its own object does not know, runs no more", () => {
  expect(stillRunning([running], [], 999)).toEqual([running]);
  expect(stillRunning([running], [], 1000)).toEqual([]);
  expect(stillRunning([running], ["a"], 0)).toEqual([]);
});
