/** A conversation whose items are too long for their rows, its bucket, and what of them lies where. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { contentOf } from "./content-fixture.ts";
import { eventually } from "./eventually.ts";
import type { AppendTurn, NewItem } from "../../src/shared/contracts/conversation.ts";
import { Conversation } from "../../durable-objects/conversation/conversation.ts";
import { ConversationStore } from "../../durable-objects/conversation/conversation-store.ts";

export const owner = { tenant: "demo", user: "alice" };
export const asking = { v: 1, owner } as const;
export const everything = { ...asking, mustExist: false, limitItems: 100, limitTokens: 1_000_000 } as const;

export function conversation() {
  const name = `large-items-${crypto.randomUUID()}`;
  return { name, stub: env.CONVERSATION.getByName(name) };
}

export function item(text: string, role: "user" | "assistant" = "user"): NewItem {
  return { type: "message", role, json: JSON.stringify({ type: "message", role, content: text }) };
}

export function append(
  turnId: string,
  items: readonly NewItem[],
  more: Partial<AppendTurn> = {},
): AppendTurn {
  return { ...asking, id: "my-chat", mustExist: false, incarnation: 1, turnId, items, ...more };
}

export const textOf = ({ json }: { readonly json: string }) =>
  (JSON.parse(json) as { content: string }).content;

export async function history(stub: ReturnType<typeof conversation>["stub"], limits: object = {}) {
  const outcome = await stub.history({ ...everything, ...limits });
  if (outcome.result !== "ok") throw new Error(outcome.result);
  return outcome.items.map(textOf);
}

type Object = ReturnType<typeof conversation>["stub"];

export async function rows(stub: Object): Promise<{ json: string; parts: number; content: number }> {
  return runInDurableObject(stub, (_instance, { storage: { sql } }) => {
    const one = (query: string) => sql.exec<{ v: string & number }>(query).one().v;
    return {
      json: one("SELECT json AS v FROM item ORDER BY sequence LIMIT 1"),
      parts: one("SELECT count(*) AS v FROM large_part"),
      content: one("SELECT count(*) AS v FROM content"),
    };
  });
}

/** Until the bucket has, or has not any more, what is to be there. */
export async function settled(stub: Object, name: string, keys: number): Promise<void> {
  await eventually(async () => {
    await runDurableObjectAlarm(stub);
    expect(await contentOf(name)).toHaveLength(keys);
  });
}

/** Another instance over the same storage, with a bucket of the test's. `look` is a store that knows what the instance has written by then. */
export async function withBucket(
  stub: Object,
  bucket: R2Bucket | undefined,
  work: (object: Conversation, look: () => ConversationStore, storage: DurableObjectStorage) => Promise<void>,
): Promise<void> {
  await runInDurableObject(stub, async (_instance, state) => {
    const { FILES: _, ...without } = env;
    const object = new Conversation(state, bucket === undefined ? without : { ...without, FILES: bucket });
    await work(object, () => new ConversationStore(state.storage, bucket !== undefined), state.storage);
  });
  // The object's own memory knows nothing of what was written beside it.
  await evictDurableObject(stub);
}

export const long = "é😀".repeat(40_000);
