/** The effects of a run that ends without an answer of its own: those of what an earlier run delivered, and no others. */
import type { BegunAnswer } from "./chat-resume.ts";
import { endEffects, isLostWhenBroken, noAnswer, pricedUse, type ChatTurnRequest } from "./chat-turn-end.ts";
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
  const { note } = begun;
  const rounds = tools?.rounds ?? [];
  const isLost = status === "failed" && isLostWhenBroken(request, rounds);
  const usage = isLost ? noUsage : begun.usage;
  return {
    usage,
    basis: "exact",
    effects: endEffects(
      request,
      note.entered,
      isLost ? noAnswer() : begun.collected,
      status,
      pricedUse({ usage }, note.price ?? null, note.model),
      { rounds, note: tools?.note ?? null, grounding: begun.grounding },
    ),
  };
}
