/** A durable chat turn by its id: look at it, follow it again, stop it, forget it. */
import { callObject } from "../../../durable-objects/storage/call-object.ts";
import { generationVersion } from "../../../src/shared/contracts/generation.ts";
import { verifyId } from "../../../src/shared/turn/response-id.ts";
import type { TenantCall, TenantHandler } from "../handle.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import {
  generationRefusal,
  generationStub,
  objectUnavailable,
  ownerOf,
  streamFromObject,
} from "../run-durable.ts";

/** A guessed id, or another user's, is refused here: no object is woken, and the answer is the same as for none. */
async function objectNamed(call: TenantCall): Promise<string | null> {
  const id = call.c.req.param("id") ?? "";
  const verified = await verifyId(call.isolate.hash, id, ownerOf(call));
  return verified?.kind === "chat" ? verified.objectName : null;
}

/** `GET /v1/chat/completions/{id}`: the final answer; with `?stream=true` its events, after `Last-Event-ID` where it is sent. */
export const showCompletion: TenantHandler = async (call) => {
  const { c, scope } = call;
  const objectName = await objectNamed(call);
  if (objectName === null) return respondRefusal(scope, { kind: "object-unknown" });
  const owner = ownerOf(call);
  const id = c.req.param("id") ?? "";
  if (c.req.query("stream") === "true") {
    const from = firstWanted(c.req.header("last-event-id") ?? c.req.query("starting_after"));
    if (from === null)
      return respondRefusal(scope, {
        kind: "value-invalid",
        param: "Last-Event-ID",
        message: "must be the id of an event: a whole number",
      });
    const called = await callObject(async () =>
      generationStub(call, objectName).read({ v: generationVersion, owner, read: { from, ids: true } }),
    );
    if (!called.ok)
      return respondRefusal(scope, objectUnavailable(called.error.retryAfterMs, called.error.detail));
    const outcome = called.value;
    switch (outcome.result) {
      case "stream":
        return streamFromObject(call, outcome.stream, { ...outcome.headers, "x-edgewise-response-id": id });
      case "position-unknown":
        return respondRefusal(scope, {
          kind: "value-invalid",
          param: "Last-Event-ID",
          message: "is behind the last event of this answer",
        });
      case "pruned":
        return respondRefusal(scope, { kind: "object-unknown" });
      case "unknown":
      case "version-unsupported":
        return respondRefusal(scope, generationRefusal(outcome));
    }
  }
  const called = await callObject(async () =>
    generationStub(call, objectName).retrieve({ v: generationVersion, owner }),
  );
  if (!called.ok)
    return respondRefusal(scope, objectUnavailable(called.error.retryAfterMs, called.error.detail));
  const outcome = called.value;
  if (outcome.result === "running")
    return respondRefusal(scope, {
      kind: "conflict",
      message: "This answer is still being written. Follow it with ?stream=true.",
    });
  if (outcome.result !== "ended") return respondRefusal(scope, generationRefusal(outcome));
  if (outcome.response === null) return respondRefusal(scope, { kind: "object-unknown" });
  return respondJson(scope, outcome.response);
};

/** `POST /v1/chat/completions/{id}/cancel`: the model stops, what it said stands. Twice is once. */
export const cancelCompletion: TenantHandler = async (call) => {
  const { scope } = call;
  const objectName = await objectNamed(call);
  if (objectName === null) return respondRefusal(scope, { kind: "object-unknown" });
  const called = await callObject(async () =>
    generationStub(call, objectName).cancel({ v: generationVersion, owner: ownerOf(call) }),
  );
  if (!called.ok)
    return respondRefusal(scope, objectUnavailable(called.error.retryAfterMs, called.error.detail));
  const outcome = called.value;
  if (outcome.result !== "ended") return respondRefusal(scope, generationRefusal(outcome));
  return respondJson(scope, {
    id: call.c.req.param("id"),
    object: "chat.completion.cancellation",
    status: outcome.status,
    cancelled: outcome.status === "cancelled",
  });
};

/** `DELETE /v1/chat/completions/{id}`: forgotten, journal and all. */
export const deleteCompletion: TenantHandler = async (call) => {
  const { scope } = call;
  const objectName = await objectNamed(call);
  if (objectName === null) return respondRefusal(scope, { kind: "object-unknown" });
  const called = await callObject(async () =>
    generationStub(call, objectName).delete({ v: generationVersion, owner: ownerOf(call) }),
  );
  if (!called.ok)
    return respondRefusal(scope, objectUnavailable(called.error.retryAfterMs, called.error.detail));
  const outcome = called.value;
  if (outcome.result !== "deleted") return respondRefusal(scope, generationRefusal(outcome));
  return respondJson(scope, { id: call.c.req.param("id"), object: "chat.completion.deleted", deleted: true });
};

/** The event after the last one that was seen; `null`: no such number. */
function firstWanted(seen: string | undefined): number | null {
  if (seen === undefined || seen === "") return 0;
  return /^\d{1,9}$/.test(seen) ? Number(seen) + 1 : null;
}
