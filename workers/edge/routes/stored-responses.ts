/** A response by its id: look at it, follow it again, stop it, forget it, see what it was asked with. */
import { eraseFromArchive } from "../erase-from-archive.ts";
import type { Refusal } from "../../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../../src/shared/contracts/result.ts";
import { storedInput, storedResponse } from "../../../src/shared/responses/stored-response.ts";
import { withoutFileTexts } from "../../../src/shared/responses/without-file-texts.ts";
import { pageOfList } from "../../../src/shared/responses/page-of-list.ts";
import { invalidValue } from "../../../src/shared/wire/zod-refusal.ts";
import type { TenantCall, TenantHandler } from "../handle.ts";
import { includeFault, pageOf, publicPage } from "../public-conversation.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import { askTurn, deleteTurn, resumeTurn, retrieveTurn, wantsEvents } from "../stored-turn.ts";

/** `GET /v1/responses/{id}`: as it is now; with `?stream=true` its events behind `starting_after`, then live. */
export const showResponse: TenantHandler = async (call) => {
  const { c, scope } = call;
  const fault = includeFault(c);
  if (fault !== null) return respondRefusal(scope, fault);
  const events = wantsEvents(call);
  if (!events.ok) return respondRefusal(scope, events.error);
  if (events.value) return resumeTurn(call, "response");
  const stored = await retrieve(call);
  return stored.ok ? respondJson(scope, storedResponse(stored.value)) : respondRefusal(scope, stored.error);
};

/** `POST /v1/responses/{id}/cancel`: the model stops, what it said stands. Twice is once. */
export const cancelResponse: TenantHandler = async (call) => {
  const { c, scope } = call;
  const id = c.req.param("id") ?? "";
  const cancelled = await askTurn(call, "response", id, async (stub, message) => stub.cancel(message));
  if (!cancelled.ok) return respondRefusal(scope, cancelled.error);
  const { response } = cancelled.value;
  return response === null
    ? respondRefusal(scope, { kind: "object-unknown" })
    : respondJson(scope, storedResponse(response));
};

/** `DELETE /v1/responses/{id}`: forgotten, journal and all. */
export const deleteResponse: TenantHandler = async (call) => {
  const { c, scope } = call;
  const id = c.req.param("id") ?? "";
  const unerased = await eraseFromArchive(call, "response", id);
  if (unerased !== null) return respondRefusal(scope, unerased);
  const deleted = await deleteTurn(call, "response", id);
  if (!deleted.ok) return respondRefusal(scope, deleted.error);
  return respondJson(scope, { id, object: "response", deleted: true });
};

/** `GET /v1/responses/{id}/input_items`: what the client sent, a page at a time. */
export const listInputItems: TenantHandler = async (call) => {
  const { c, scope } = call;
  const page = pageOf(c);
  if (!page.ok) return respondRefusal(scope, page.error);
  const fault = includeFault(c);
  if (fault !== null) return respondRefusal(scope, fault);
  const stored = await retrieve(call);
  if (!stored.ok) return respondRefusal(scope, stored.error);
  const listed = pageOfList(storedInput(stored.value).input, page.value);
  return listed === null
    ? respondRefusal(scope, invalidValue("after", "names no input item of this response"))
    : respondJson(scope, publicPage(listed.data.map(withoutFileTexts), listed.hasMore));
};

async function retrieve(call: TenantCall): Promise<Result<string, Refusal>> {
  const retrieved = await retrieveTurn(call, "response", call.c.req.param("id") ?? "");
  if (!retrieved.ok) return retrieved;
  const response = retrieved.value.response ?? null;
  return response === null ? err({ kind: "object-unknown" }) : ok(response);
}
