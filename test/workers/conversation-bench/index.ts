/** What bench/conversations.ts measures: one call to a Conversation object a request, or none. */
import { loadHistory } from "../../../durable-objects/conversation/load-history.ts";
import type { EnteringTurn } from "../../../src/shared/turn/durable/turn-order.ts";
import { itemsOfMessages } from "../../../src/shared/turn/durable/conversation-items.ts";

export { Conversation } from "../../../durable-objects/conversation/conversation.ts";
export { ConversationIndex } from "../../../durable-objects/conversation-index/conversation-index.ts";

const owner = { tenant: "bench", user: "bench" };

async function history(env: Cloudflare.Env, objectName: string, turnId: string): Promise<number> {
  const turn: EnteringTurn = {
    turnId,
    responseId: `chatcmpl-${turnId}`,
    policy: "queue",
    waitMs: 30_000,
    maxWaiting: 8,
    runMs: 600_000,
    input: null,
    gone: [],
    cancelled: [],
  };
  const loaded = await loadHistory(env.CONVERSATION, "local", {
    conversation: { id: objectName, objectName, mustExist: false },
    owner,
    jurisdiction: "none",
    limitTokens: 131_072,
    ...(turnId === "" ? {} : { turn }),
  });
  if (!loaded.ok) throw new Error(loaded.error.kind);
  return loaded.value.messages.length;
}

async function append(
  env: Cloudflare.Env,
  objectName: string,
  turnId: string,
  units: number,
): Promise<number> {
  const outcome = await env.CONVERSATION.getByName(objectName).append({
    v: 1,
    owner,
    id: objectName,
    mustExist: false,
    incarnation: 1,
    turnId,
    responseId: `chatcmpl-${turnId}`,
    title: "A conversation of the bench",
    items: itemsOfMessages([
      { role: "user", content: `${turnId} `.padEnd(Math.floor(units / 4), "q") },
      { role: "assistant", content: `${turnId} `.padEnd(units, "a") },
    ]),
  });
  if (outcome.result !== "appended") throw new Error(outcome.result);
  return outcome.firstSequence;
}

async function listed(env: Cloudflare.Env, objectName: string): Promise<number> {
  const page = await env.CONVERSATION.getByName(objectName).listItems({
    v: 1,
    owner,
    after: null,
    limit: 100,
    order: "desc",
  });
  return page.result === "ok" ? page.items.length : 0;
}

// oxlint-disable-next-line import/no-default-export -- a Worker's
export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const name = searchParams.get("name") ?? "";
    const turn = searchParams.get("turn") ?? "";
    switch (pathname) {
      case "/history":
        return new Response(String(await history(env, name, turn)));
      case "/append":
        return new Response(
          String(await append(env, name, turn, Number(searchParams.get("units") ?? "1200"))),
        );
      case "/list":
        return new Response(String(await listed(env, name)));
      default:
        return new Response("ok");
    }
  },
} satisfies ExportedHandler<Cloudflare.Env>;
