/**
 * Is this turn refused whatever a guard model says of its prompt? A guard is asked up to 52 questions about one prompt, and the platform pays
 * them: so what is cheap to know comes first.
 */
import type { Background } from "../../src/shared/contracts/background.ts";
import type { BeforeJudged } from "../../src/shared/safety/moderation/moderator.ts";
import type { Asked } from "../../src/shared/turn/asked.ts";
import { resolveConversation } from "../../src/shared/turn/conversation-name.ts";
import { unanswerable } from "../../src/shared/turn/unanswerable.ts";
import { ownerOf } from "./run-durable.ts";
import type { TurnContext } from "./start-turn.ts";

/** The turn that a prompt is of, as far as it is known before its screen. */
export interface TurnToCome {
  readonly asked: Asked;
  /** As the caller names it. */
  readonly conversationId?: string | undefined;
}

/** No object is asked. `null`: nothing is against it; also where there is no fleet now, which the turn itself is told. */
export async function refusedAnyway(
  from: TurnContext,
  { asked, conversationId }: TurnToCome,
  background: Background,
): Promise<BeforeJudged | null> {
  const { isolate } = from;
  if (
    conversationId !== undefined &&
    (await resolveConversation(isolate.hash, conversationId, ownerOf(from))) === null
  )
    return { kind: "object-unknown" };
  const fleet = await isolate.fleet.current(background);
  if (!fleet.ok) return null;
  return unanswerable({ ...from, asked }, isolate.durableTurnDeps(fleet.value, background));
}
