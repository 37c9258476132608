/** Tells the list of a user's stored completions, or of their kept responses, what a turn is now: an effect's delivery. */
import { callObject, calledObject } from "../../durable-objects/storage/call-object.ts";
import { inJurisdiction } from "../../durable-objects/storage/jurisdiction.ts";
import {
  completionIndexName,
  completionIndexVersion,
  responseIndexName,
} from "../../src/shared/contracts/completion-index.ts";
import { listedBy } from "../../src/shared/turn/durable/listed-chat.ts";
import type { Delivery, Effect, ListedTurn } from "../../src/shared/turn/durable/ports.ts";
import { objectOfId } from "../../src/shared/turn/response-id.ts";

export async function tellCompletionIndex(
  env: Cloudflare.Env,
  { jurisdiction, owner, responseId: id }: Extract<Effect, { kind: "list" }>,
  listed: ListedTurn | null,
): Promise<Delivery> {
  const named = objectOfId(id);
  if (listed === null || named === null) return { result: "acknowledged", detail: "it is in no list" };
  const { revision, createdMs, untilMs, response } = listed;
  const isResponse = id.startsWith("resp_");
  const shown = response === null || isResponse ? { model: "", metadata: "{}" } : listedBy(response);
  const entry = response === null ? null : { id, untilMs, ...shown };
  const name = isResponse ? responseIndexName(owner) : completionIndexName(owner);
  const called = await callObject(
    async () =>
      inJurisdiction(env.COMPLETION_INDEX, jurisdiction, env.ENVIRONMENT).getByName(name).tell({
        v: completionIndexVersion,
        owner,
        objectName: named.objectName,
        revision,
        createdMs,
        entry,
      }),
    calledObject("completion-index", name),
  );
  if (!called.ok) return { result: "retry", detail: called.error.detail };
  switch (called.value.result) {
    case "told":
      return { result: "acknowledged" };
    case "unknown":
      return { result: "acknowledged", detail: "the list is another user's" };
    case "version-unsupported":
      return { result: "retry", detail: `the list speaks version ${called.value.supported}` };
  }
}
