/**
 * Is this turn refused whatever a guard model says about its prompt? A guard is asked up to 52 questions about one prompt, and the platform pays
 * for them, so cheap checks come first.
 */
import type { Background } from "../../src/shared/contracts/background.ts";
import type { BeforeJudged } from "../../src/shared/safety/moderation/moderator.ts";
import type { Asked } from "../../src/shared/turn/asked.ts";
import { resolveConversation } from "../../src/shared/turn/conversation-name.ts";
import { unanswerable } from "../../src/shared/turn/unanswerable.ts";
import { ownerOf } from "./run-durable.ts";
import type { TurnContext } from "./start-turn.ts";

/** The turn of a prompt, as far as it is known before screening. */
export interface TurnToCome {
  readonly asked: Asked;
  /** The name that the caller gave. */
  readonly conversationId?: string | undefined;
}

/** Asks no object. `null`: no reason to refuse it; also if there is no fleet now, which the turn itself reports. */
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
