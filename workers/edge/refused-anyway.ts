/**
 * Is this turn refused whatever a guard model says about its prompt? A guard is asked up to 52 questions about one prompt, and the platform pays
 * for them, so cheap checks come first.
 */
import type { Background } from "../../src/shared/contracts/background.ts";
import type { BeforeJudged } from "../../src/shared/safety/moderation/moderator.ts";
import type { Asked } from "../../src/shared/turn/asked.ts";
import { resolveConversation } from "../../src/shared/turn/conversation-name.ts";
import { leastReserved, unanswerable } from "../../src/shared/turn/unanswerable.ts";
import { ownerOf } from "./run-durable.ts";
import type { TurnContext } from "./start-turn.ts";

/** The turn of a prompt, as far as it is known before screening. */
export interface TurnToCome {
  readonly asked: Asked;
  /** The name that the caller gave. */
  readonly conversationId?: string | undefined;
}

export type RefusedAnyway =
  | { readonly refused: BeforeJudged }
  /** Nothing is against it. `leastTokens`: what its admission will ask for; `null`: that is not known. */
  | { readonly refused: null; readonly leastTokens: number | null };

/** No object is asked. Nothing is against it also where there is no fleet now, which the turn itself is told. */
export async function refusedAnyway(
  from: TurnContext,
  { asked, conversationId }: TurnToCome,
  background: Background,
): Promise<RefusedAnyway> {
  const { isolate } = from;
  if (
    conversationId !== undefined &&
    (await resolveConversation(isolate.hash, conversationId, ownerOf(from))) === null
  )
    return { refused: { kind: "object-unknown" } };
  const fleet = await isolate.fleet.current(background);
  if (!fleet.ok) return { refused: null, leastTokens: null };
  const turn = { ...from, asked };
  const deps = isolate.durableTurnDeps(fleet.value, background);
  const refused = unanswerable(turn, deps);
  return refused === null ? { refused, leastTokens: leastReserved(turn, deps) } : { refused };
}
