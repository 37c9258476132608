import { expect, test } from "vitest";
import type { ListCompletions, ListCompletionsOutcome } from "../../src/shared/contracts/completion-index.ts";
import type { RetrieveOutcome } from "../../src/shared/contracts/generation.ts";
import type { TenantCall } from "./handle.ts";
import { listCompletions } from "./list-completions.ts";

const asked = { after: null, limit: 100, order: "asc", model: null, metadata: [] } as const;

/** A user's `count` completions, of which each object answers what `retrieve` says. */
function world(count: number, retrieve: (name: string) => RetrieveOutcome) {
  const lists: ListCompletions[] = [];
  const retrieved: string[] = [];
  const names = Array.from({ length: count }, (_, at) => `o${String(at).padStart(4, "0")}`);
  const index = {
    list: async (message: ListCompletions): Promise<ListCompletionsOutcome> => {
      lists.push(message);
      const rest = names.filter((name) => message.after === null || name > message.after);
      const entries = rest.slice(0, message.limit).map((name) => ({ id: `id-${name}`, objectName: name }));
      return { result: "ok", entries, hasMore: rest.length > message.limit };
    },
  };
  const generation = (name: string) => ({
    retrieve: async () => {
      retrieved.push(name);
      return retrieve(name);
    },
  });
  const env = {
    ENVIRONMENT: "local",
    COMPLETION_INDEX: { getByName: () => index },
    GENERATION: { getByName: generation },
  };
  const tenant = { id: "acme", jurisdiction: "none" };
  const call = { isolate: { env }, tenant, principal: { user: "ann" } } as unknown as TenantCall;
  return { call, lists, retrieved };
}

const ended = (response: string | null): RetrieveOutcome => ({
  result: "ended",
  status: "completed",
  createdMs: 1,
  endedMs: 2,
  response,
});

async function page(call: TenantCall, more: Partial<ListCompletions> = {}) {
  const listed = await listCompletions(call, { ...asked, ...more });
  if (!listed.ok || listed.value === "after-unknown") throw new Error(JSON.stringify(listed));
  return listed.value;
}

test("a page ends where it holds millions of characters, and says that there is more", async () => {
  const long = "x".repeat(1_500_000);
  const { call, retrieved } = world(20, () => ended(long));
  const { completions, hasMore } = await page(call);
  expect([completions.length, retrieved.length, hasMore]).toEqual([6, 6, true]);
  // The next one goes on behind it, and the last says so.
  const rest = await page(call, { after: "o0013" });
  expect([rest.completions.map(({ id }) => id).at(-1), rest.hasMore]).toEqual(["id-o0019", false]);
});

test("where hundreds were deleted and the index was not told, it is asked a few times, never without end", async () => {
  const { call, lists } = world(1000, () => ended(null));
  expect(await page(call)).toEqual({ completions: [], hasMore: true });
  expect(lists).toHaveLength(5);
});

test("one that can't be asked is not left out: there is no page", async () => {
  const { call } = world(3, (name) => {
    if (name === "o0001") throw new Error("unreachable");
    return ended("{}");
  });
  expect(await listCompletions(call, asked)).toMatchObject({
    ok: false,
    error: { kind: "dependency-unavailable" },
  });
});
