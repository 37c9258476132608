/** What does a turn of the chat page cost: which objects are called, and how many rows do they write? With an Idempotency-Key, as the page sends it, and without. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { Conversation } from "../../durable-objects/conversation/conversation.ts";
import type { GenerationMethods } from "../../durable-objects/generation/generation.ts";
import { bearer, post, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { scriptedEdge } from "./scripted-edge.ts";

// However busy the machine is, what it says comes within one row of its journal.
scriptedEdge({ costs: { journal: { interval_ms: 500 } } });
const spies: { mockRestore(): void }[] = [];
afterEach(() => spies.splice(0).forEach((spy) => spy.mockRestore()));

type Counts = Record<string, number>;

/** Counts calls of a method; what it counts as is told by what it is given and what it returns. */
function counting(
  counts: Counts,
  of: object,
  method: string,
  name: (given: readonly unknown[]) => string | null,
  worth: (result: unknown) => number = () => 1,
): void {
  const original: unknown = Reflect.get(of, method);
  if (typeof original !== "function") throw new Error(`no ${method}`);
  const spy = vi.spyOn(of as Record<string, (...given: unknown[]) => unknown>, method);
  spies.push(spy);
  spy.mockImplementation(function (this: unknown, ...given: unknown[]) {
    const result: unknown = Reflect.apply(original, this, given);
    const counted = name(given);
    if (counted !== null) counts[counted] = (counts[counted] ?? 0) + worth(result);
    return result;
  });
}

/** Rows as the platform bills them, by what was written; calls by object and method. Buckets and metrics write by the second. */
async function counted(): Promise<{ readonly rows: Counts; readonly calls: Counts }> {
  const rows: Counts = {};
  const calls: Counts = {};
  const ofTurn = ([key]: readonly unknown[]) => {
    if (key === "turn" || key === "running") return key;
    return typeof key === "string" && /^(journal|text)\//.test(key) ? "journal" : null;
  };
  await runInDurableObject(env.GENERATION.getByName("to-be-counted"), (object, { storage }) => {
    const kv = Object.getPrototypeOf(storage.kv) as object;
    for (const method of ["put", "delete"]) {
      counting(rows, kv, method, ofTurn);
      counting(rows, Object.getPrototypeOf(storage) as object, method, ofTurn);
    }
    const rowsWritten = (cursor: unknown): number => (cursor as { rowsWritten: number }).rowsWritten;
    const table = ([sql]: readonly unknown[]) =>
      /^\s*(?:INSERT|UPDATE|DELETE)[\w\s]*? (item|turn|turn_response|head|branch|shown)\b/.exec(
        String(sql),
      )?.[0] ?? null;
    counting(rows, Object.getPrototypeOf(storage.sql) as object, "exec", table, rowsWritten);
    const generation = Object.getPrototypeOf(object) as GenerationMethods;
    for (const method of ["attach", "start", "read", "retrieve"] as const)
      counting(calls, generation, method, () => `generation.${method}`);
  });
  for (const method of ["history", "append"] as const)
    counting(calls, Conversation.prototype, method, () => `conversation.${method}`);
  return { rows, calls };
}

test("a turn of the page, which has an Idempotency-Key, costs the rows of one without, twelve, and a call more: the look for what came of its key before", async () => {
  const authorization = await bearer("costs", "ann");
  const say = async (content: string, key?: string): Promise<void> => {
    const body = {
      model: "auto",
      max_tokens: 50,
      stream: true,
      conversation_id: "talk",
      messages: [{ role: "user", content }],
    };
    const headers = key === undefined ? {} : { "idempotency-key": key };
    const response = await post("/v1/chat/completions", authorization, body, headers);
    expect(response.status).toBe(200);
    await response.text();
    await settled();
  };
  await say("The first one makes the conversation.");
  const costs: object[] = [];
  for (const key of [undefined, crypto.randomUUID()]) {
    const { rows, calls } = await counted();
    await say("And now?", key);
    // Its outbox is acknowledged: claim, end, acknowledgement.
    await eventually(() => expect(rows["turn"]).toBe(3));
    costs.push({ rows: { ...rows }, calls: { ...calls } });
    spies.splice(0).forEach((spy) => spy.mockRestore());
  }
  expect(costs).toEqual([cost, { ...cost, calls: { ...cost.calls, "generation.attach": 1 } }]);
});

/** As docs/storage.md says; the alarm's row beside them (durable-objects/generation/rows.test.ts). */
const cost = {
  calls: { "generation.start": 1, "conversation.history": 1, "conversation.append": 1 },
  rows: {
    // Its claim, its end, its acknowledgement; what it said.
    turn: 3,
    journal: 1,
    // While it runs: set, and taken back.
    running: 2,
    "INSERT INTO item": 2,
    "INSERT INTO turn": 1,
    "INSERT OR IGNORE INTO turn_response": 1,
    "UPDATE head": 1,
  },
};
