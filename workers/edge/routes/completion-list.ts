/** The caller's stored chat completions, and the messages that one of them was asked with. */
import { verifyId } from "../../../src/shared/turn/response-id.ts";
import { publicMessages } from "../../../src/shared/wire/public-message.ts";
import { parseCompletionFilter } from "../../../src/shared/wire/stored-completion-request.ts";
import { invalidValue } from "../../../src/shared/wire/zod-refusal.ts";
import type { TenantHandler } from "../handle.ts";
import { listCompletions } from "../list-completions.ts";
import { pageOf, publicPage } from "../public-conversation.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import { ownerOf } from "../run-durable.ts";
import { askTurn } from "../stored-turn.ts";
import { stillWritten } from "./stored-completions.ts";

const nothingIsCalledSo = invalidValue("after", "names nothing in this list");

/** `GET /v1/chat/completions`: those of `store: true`, by when they were asked for. */
export const listStoredCompletions: TenantHandler = async (call) => {
  const { c, scope, isolate } = call;
  const page = pageOf(c, "asc");
  if (!page.ok) return respondRefusal(scope, page.error);
  const filter = parseCompletionFilter(new URL(c.req.url).searchParams);
  if (!filter.ok) return respondRefusal(scope, filter.error);
  const { after, limit, order } = page.value;
  const behind = after === null ? null : await verifyId(isolate.hash, after, ownerOf(call));
  if (after !== null && behind?.kind !== "chat") return respondRefusal(scope, nothingIsCalledSo);
  const listed = await listCompletions(call, {
    ...filter.value,
    after: behind?.objectName ?? null,
    limit,
    order,
  });
  if (!listed.ok) return respondRefusal(scope, listed.error);
  if (listed.value === "after-unknown") return respondRefusal(scope, nothingIsCalledSo);
  const { completions, hasMore } = listed.value;
  const ids = { first_id: completions[0]?.id ?? "", last_id: completions.at(-1)?.id ?? "" };
  // Each is JSON already: a page of them is not parsed to be written again.
  const data = completions.map(({ json }) => json).join(",");
  const frame = JSON.stringify({ object: "list", ...ids, has_more: hasMore });
  return respondJson(scope, `${frame.slice(0, -1)},"data":[${data}]}`);
};

/** `GET /v1/chat/completions/{id}/messages` */
export const listCompletionMessages: TenantHandler = async (call) => {
  const { c, scope } = call;
  const page = pageOf(c, "asc");
  if (!page.ok) return respondRefusal(scope, page.error);
  const id = c.req.param("id") ?? "";
  const { limit, order } = page.value;
  const after = page.value.after === null ? null : numberIn(page.value.after, id);
  if (after === undefined) return respondRefusal(scope, nothingIsCalledSo);
  const asked = await askTurn(call, "chat", id, async (stub, message) =>
    stub.messages({ ...message, after, limit, order }),
  );
  if (!asked.ok) return respondRefusal(scope, asked.error);
  switch (asked.value.result) {
    case "running":
      return respondRefusal(scope, stillWritten);
    case "after-unknown":
      return respondRefusal(scope, nothingIsCalledSo);
    case "ok":
      return respondJson(scope, publicPage(publicMessages(id, asked.value.messages), asked.value.hasMore));
  }
};

/** A message's id is the completion's, a dash, and its number. `undefined`: it is none of this one's. */
function numberIn(messageId: string, id: string): number | undefined {
  const number = messageId.startsWith(`${id}-`) ? messageId.slice(id.length + 1) : "";
  return /^(?:0|[1-9]\d{0,5})$/.test(number) ? Number(number) : undefined;
}
