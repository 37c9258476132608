/**
 * From a checked request for a response to its started turn: media ▸ screen ▸ what it goes on from ▸ chat ▸ start. Knows
 * nothing of HTTP: a request creates one, and so does a message on a socket.
 */
import type { Follow } from "../../src/shared/contracts/generation.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import { itemId } from "../../src/shared/responses/item.ts";
import { echoOf } from "../../src/shared/responses/response-object.ts";
import { screenResponse } from "../../src/shared/responses/screen-items.ts";
import { storedInput } from "../../src/shared/responses/stored-response.ts";
import { chatOf, checkResponseMedia } from "../../src/shared/responses/to-chat.ts";
import type { TurnClaim } from "../../src/shared/turn/durable/turn-claim.ts";
import { turnPolicy } from "../../src/shared/turn/durable/turn-request.ts";
import { conversationOf, type ResponseRequest } from "../../src/shared/wire/responses-request.ts";
import { startTurn, type TurnOrigin, type TurnStarted } from "./start-turn.ts";
import { retrieveTurn } from "./stored-turn.ts";

/** Of what a response goes on from, no more is remembered: the window of no model holds the turns before. */
const mostAncestors = 256;
/** For readers that have not had the end yet, of a response that is not kept. */
const unkeptMs = 60_000;

export interface Creation {
  readonly started: TurnStarted;
  /** What the screen found, for the log. */
  readonly findings: string | null;
}

export async function createResponse(
  from: TurnOrigin,
  asked: ResponseRequest,
  claim: TurnClaim | null,
  follow: Follow,
): Promise<Result<Creation, Refusal>> {
  const { tenant, isolate } = from;
  const media = checkResponseMedia(asked, tenant.media);
  if (!media.ok) return media;
  const screened = await screenResponse(asked, tenant, isolate.screen);
  if (!screened.ok) return screened;
  const { request, findings } = screened.value;
  const ancestors = await ancestorsOf(from, request.previous_response_id);
  if (!ancestors.ok) return ancestors;
  const conversationId = conversationOf(request);
  const kept = request.store !== false;
  const started = await startTurn(from, {
    kind: "response",
    chat: chatOf(request),
    conversationId,
    claim,
    screened: findings,
    policy: turnPolicy(tenant, kept, claim?.keptMs ?? (kept ? null : unkeptMs)),
    follow,
    response: (objectName) => ({
      objectName,
      echo: echoOf(request),
      background: request.background === true,
      truncates:
        conversationId === undefined ? request.truncation === "auto" : request.truncation !== "disabled",
      input: request.input.map((item, at) => ({ id: itemId(item.type, objectName, "i", at), ...item })),
      ancestors: ancestors.value,
    }),
  });
  return started.ok ? ok({ started: started.value, findings }) : started;
}

/** One that is unknown, another's, deleted or no longer kept is refused in the same words. */
async function ancestorsOf(
  from: TurnOrigin,
  previous: string | undefined,
): Promise<Result<readonly string[], Refusal>> {
  if (previous === undefined) return ok([]);
  const retrieved = await retrieveTurn(from, "response", previous);
  if (!retrieved.ok) return retrieved;
  if (retrieved.value.result === "running")
    return err({
      kind: "conflict",
      message: "The previous response is still being written. Wait for its end, or cancel it.",
    });
  const { response } = retrieved.value;
  if (response === null) return err({ kind: "object-unknown" });
  return ok([...storedInput(response).ancestors, previous].slice(-mostAncestors));
}
