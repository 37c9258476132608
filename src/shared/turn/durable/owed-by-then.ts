/** What is to be paid and done for a run that ends without an answer of its own: what an earlier run delivered, and nothing else. */
import { freeOfCharge } from "../../limits/cost.ts";
import { turnUse } from "../ending.ts";
import type { BegunAnswer } from "./chat-resume.ts";
import { endEffects, type ChatTurnRequest } from "./chat-turn-end.ts";
import type { TurnEnd } from "./ports.ts";
import { noUsage } from "./round-history.ts";
import type { ToolRounds } from "./tool-rounds.ts";

/** @param begun `null`: there was no earlier run; what was reserved is given back already */
export function owedByThen(
  request: ChatTurnRequest,
  begun: BegunAnswer | null,
  tools: ToolRounds | null,
  status: TurnEnd["status"],
): Pick<TurnEnd, "usage" | "basis" | "effects"> {
  if (begun === null) return { usage: noUsage, basis: "estimated", effects: [] };
  const { usage, note, collected } = begun;
  const use = { ...turnUse({ usage }, freeOfCharge, note.model), microdollars: null };
  return {
    usage,
    basis: "exact",
    effects: endEffects(
      request,
      note.entered,
      collected,
      status,
      { ...use, promptTokens: usage.promptTokens },
      { rounds: tools?.rounds ?? [], note: tools?.note ?? null, grounding: begun.grounding },
    ),
  };
}
