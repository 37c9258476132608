import { expect, test } from "vitest";
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import { askedCompletion } from "./asked-completion.ts";
import { lookup } from "./lookup.ts";
import type { Plan } from "./plan.ts";
import type { TurnDeps, ValidatedTurn } from "./ports.ts";

test("a plain completion is none for the cache, and nobody is told that the tenant wanted it so", () => {
  const asked = askedCompletion({ model: "m", prompt: "Hello", temperature: 0 });
  const cache = { exact: "all" };
  const turn = { asked, tenant: { cache }, ground: null, cacheControl: null } as ValidatedTurn;
  const nobody = {} as unknown;
  expect(lookup(turn, nobody as Plan, nobody as TurnDeps, nobody as LeaveSignal)).toEqual({
    storeKey: null,
    lookup: null,
    status: "edgewise; fwd=bypass; detail=not-replayable",
  });
});
