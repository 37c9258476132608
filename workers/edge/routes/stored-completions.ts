/** A durable chat turn by its id: look at it, follow it again, change its metadata, stop it, forget it. */
import type { Refusal } from "../../../src/shared/contracts/refusal.ts";
import { parseCompletionUpdate } from "../../../src/shared/wire/stored-completion-request.ts";
import { eraseFromArchive } from "../erase-from-archive.ts";
import type { TenantHandler } from "../handle.ts";
import { readJsonText } from "../read-body.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import { askTurn, deleteTurn, resumeTurn, retrieveTurn, wantsEvents } from "../stored-turn.ts";

export const stillWritten: Refusal = {
  kind: "conflict",
  message: "This answer is still being written. Follow it with ?stream=true.",
};

/** `GET /v1/chat/completions/{id}`: the final answer; with `?stream=true` its events, after `Last-Event-ID` where it is sent. */
export const showCompletion: TenantHandler = async (call) => {
  const { c, scope } = call;
  const events = wantsEvents(call);
  if (!events.ok) return respondRefusal(scope, events.error);
  if (events.value) return resumeTurn(call, "chat");
  const retrieved = await retrieveTurn(call, "chat", c.req.param("id") ?? "");
  if (!retrieved.ok) return respondRefusal(scope, retrieved.error);
  const outcome = retrieved.value;
  if (outcome.result === "running") return respondRefusal(scope, stillWritten);
  if (outcome.response === null) return respondRefusal(scope, { kind: "object-unknown" });
  return respondJson(scope, outcome.response);
};

/** `POST /v1/chat/completions/{id}`: its metadata, all of them; only of one that was stored by `store: true`. */
export const updateCompletion: TenantHandler = async (call) => {
  const { c, scope, tenant } = call;
  const text = await readJsonText(c.req.raw, tenant.requests.max_body_bytes);
  if (!text.ok) return respondRefusal(scope, text.error);
  const read = parseCompletionUpdate(text.value);
  if (!read.ok) return respondRefusal(scope, read.error);
  const metadata = JSON.stringify(read.value);
  const updated = await askTurn(call, "chat", c.req.param("id") ?? "", async (stub, message) =>
    stub.update({ ...message, metadata }),
  );
  if (!updated.ok) return respondRefusal(scope, updated.error);
  return updated.value.result === "running"
    ? respondRefusal(scope, stillWritten)
    : respondJson(scope, updated.value.response);
};

/** `POST /v1/chat/completions/{id}/cancel`: the model stops, what it said stands. Twice is once. */
export const cancelCompletion: TenantHandler = async (call) => {
  const { c, scope } = call;
  const id = c.req.param("id") ?? "";
  const cancelled = await askTurn(call, "chat", id, async (stub, message) => stub.cancel(message));
  if (!cancelled.ok) return respondRefusal(scope, cancelled.error);
  const { status } = cancelled.value;
  return respondJson(scope, {
    id,
    object: "chat.completion.cancellation",
    status,
    cancelled: status === "cancelled",
  });
};

/** `DELETE /v1/chat/completions/{id}`: forgotten, journal, archive and all. */
export const deleteCompletion: TenantHandler = async (call) => {
  const { c, scope } = call;
  const id = c.req.param("id") ?? "";
  const unerased = await eraseFromArchive(call, "chat", id);
  if (unerased !== null) return respondRefusal(scope, unerased);
  const deleted = await deleteTurn(call, "chat", id);
  if (!deleted.ok) return respondRefusal(scope, deleted.error);
  return respondJson(scope, { id, object: "chat.completion.deleted", deleted: true });
};
