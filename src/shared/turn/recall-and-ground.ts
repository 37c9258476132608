import type { Refusal } from "../contracts/refusal.ts";
import type { Grounding } from "../grounding/ground.ts";
import { ok, type Result } from "../contracts/result.ts";
import type { ChatMessage } from "../prompt/chat-message.ts";
import type { FleetIndex } from "../routing/fleet/fleet-index.ts";
import { planWithHistory, type Plan } from "./plan.ts";
import type { ValidatedTurn } from "./ports.ts";

export interface Recollection {
  /** Only models that can also read the images in the history. */
  readonly plan: Plan;
  /** Oldest first. */
  readonly history: readonly ChatMessage[];
  /** `null`: none were asked for. */
  readonly grounding: Grounding | null;
}

/** The stages `recall ‖ ground` of a turn: they run at the same time, unless the question can only be understood with the history. */
export async function recallAndGround(
  turn: ValidatedTurn,
  plan: Plan,
  fleet: FleetIndex,
): Promise<Result<Recollection, Refusal>> {
  const recalling = turn.recall === null ? null : turn.recall();
  const searching = turn.ground === null ? null : turn.ground(recalling);
  const recalled = recalling === null ? noHistory : await recalling;
  if (!recalled.ok) return recalled;
  if (recalling !== null) turn.mark("recall");
  const planned = recalling === null ? ok(plan) : planWithHistory(fleet, turn, plan, recalled.value);
  if (!planned.ok) return planned;
  const ground = searching === null ? notGrounded : await searching;
  if (!ground.ok) return ground;
  if (searching !== null) turn.mark("ground");
  return ok({ plan: planned.value, history: recalled.value, grounding: ground.value });
}

const noHistory = ok([]);
const notGrounded = ok(null);
