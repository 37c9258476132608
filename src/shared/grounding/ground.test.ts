import { expect, test } from "vitest";
import { err, ok } from "../contracts/result.ts";
import type { FoundPassage } from "../retrieval/passage.ts";
import type { KnowledgeSource, PassageSearch } from "../retrieval/ports.ts";
import {
  createGround,
  type Ground,
  groundingTold,
  isComplete,
  readGrounding,
  shownOf,
  writeGrounding,
} from "./ground.ts";
import { retrievalWish } from "./retrieval-wish.ts";

const question = { role: "user", content: "How long may a customer take to return a device?" };

function passage(fileId: string, score: number, text = fileId): FoundPassage {
  return { fileId, filename: fileId, attributes: {}, ordinal: 0, text, start: 0, end: text.length, score };
}

type Answer = ReturnType<KnowledgeSource["search"]>;
type Answers = Readonly<Record<string, Answer | (() => Answer)>>;

interface World {
  readonly ground: Ground;
  readonly searches: (PassageSearch & { readonly store: string })[];
  readonly faults: string[];
  /** Lets the budget be over. */
  readonly elapse: () => void;
}

function worldOf(answers: Answers, messages: readonly object[] = [question], isDefault = false): World {
  const searches: World["searches"] = [];
  const faults: string[] = [];
  let fire = (): void => undefined;
  const stores = Object.keys(answers);
  const wish = retrievalWish(isDefault ? undefined : { vector_store_ids: stores }, {
    retrieval: { default_vector_store_ids: stores, max_results: 8, budget_ms: 200 },
  });
  if (wish === null) throw new Error("nothing is wished for");
  const ground = createGround({
    wish,
    messages: messages as never,
    source: {
      search: (store, search) => {
        searches.push({ store, ...search });
        const answer = answers[store];
        if (answer === undefined) throw new Error("nobody asked for it");
        return typeof answer === "function" ? answer() : answer;
      },
    },
    screen: (passages) =>
      passages.some(({ text }) => text === "unreadable")
        ? Promise.reject(new Error("the screen is down"))
        : Promise.resolve(passages.filter(({ text }) => text !== "withheld")),
    budgetMs: 200,
    timer: (_ms, end) => {
      fire = end;
      return () => undefined;
    },
    onFault: (detail) => void faults.push(detail),
  });
  return { ground, searches, faults, elapse: () => fire() };
}

const found = (...passages: FoundPassage[]) => Promise.resolve(ok({ passages, contentVersion: "1" }));

test("all stores are asked at once, and the best of what they know is taken, each piece once", async () => {
  const { ground, searches } = worldOf({
    vs_a: found(passage("a", 0.9), passage("b", 0.2)),
    vs_b: found(passage("c", 0.5), passage("b", 0.2)),
  });
  const grounding = await ground(null);
  expect(grounding).toMatchObject({ ok: true, value: { fault: null, queries: [question.content] } });
  expect(grounding.ok && grounding.value.passages.map(({ fileId }) => fileId)).toEqual(["a", "c", "b"]);
  expect(searches.map(({ store, maxResults, rerank }) => ({ store, maxResults, rerank }))).toEqual([
    { store: "vs_a", maxResults: 8, rerank: true },
    { store: "vs_b", maxResults: 8, rerank: true },
  ]);
});

test("over its budget a turn goes on with what is there", async () => {
  const { ground, elapse } = worldOf({ vs_a: found(passage("a", 0.9)), vs_b: new Promise(() => undefined) });
  const grounding = ground(null);
  await Promise.resolve();
  elapse();
  expect(await grounding).toMatchObject({ ok: true, value: { fault: "late", passages: [{ fileId: "a" }] } });
});

test.each([
  [
    "refuses",
    Promise.resolve(
      err({
        kind: "dependency-unavailable",
        component: "knowledge",
        retryAfterMs: 1,
        detail: "overloaded",
      } as const),
    ),
  ],
  ["throws", () => Promise.reject(new Error("the network is down"))],
])("a store whose object %s is told to the operator, and the turn goes on without", async (_, answer) => {
  const { ground, faults } = worldOf({ vs_a: answer, vs_b: found(passage("b", 0.4)) });
  expect(await ground(null)).toMatchObject({
    ok: true,
    value: { fault: "unreachable", passages: [{ fileId: "b" }] },
  });
  expect(faults).toEqual([expect.stringMatching(/overloaded|network/)]);
});

test("a store that is gone refuses the turn by its place; one of the tenant's own choice does not", async () => {
  const unknown = Promise.resolve(err({ kind: "object-unknown" } as const));
  const stores = { vs_a: found(passage("a", 1)), vs_b: unknown };
  expect(await worldOf(stores).ground(null)).toEqual(
    err({ kind: "object-unknown", namedBy: "retrieval.vector_store_ids[1]" }),
  );
  const expired = { kind: "conflict", message: "It has expired." } as const;
  expect(await worldOf({ vs_a: Promise.resolve(err(expired)) }).ground(null)).toEqual(err(expired));
  expect(await worldOf(stores, [question], true).ground(null)).toMatchObject({
    ok: true,
    value: { fault: "unknown", passages: [{ fileId: "a" }] },
  });
});

test("what the policy keeps from the model is counted, and told", async () => {
  const { ground } = worldOf({ vs_a: found(passage("a", 0.9, "withheld"), passage("b", 0.8)) });
  const grounding = await ground(null);
  if (!grounding.ok) throw new Error("refused");
  expect(grounding.value).toMatchObject({ passages: [{ fileId: "b" }], withheld: 1 });
  expect(groundingTold(grounding.value)).toBe("found:1 withheld:1");
  expect(groundingTold({ ...grounding.value, fault: "late" })).toBe("late found:1 withheld:1");
});

test("what the stores' searches did without is told, each once", async () => {
  const lame = (lacking: readonly ("vectors" | "rerank")[], ...passages: FoundPassage[]) =>
    Promise.resolve(ok({ passages, contentVersion: "1", lacking }));
  const { ground } = worldOf({
    vs_a: lame(["vectors"], passage("a", 0.9)),
    vs_b: lame(["rerank", "vectors"], passage("b", 0.8)),
  });
  const grounding = await ground(null);
  if (!grounding.ok) throw new Error("refused");
  expect(grounding.value).toMatchObject({ fault: null, lacking: ["vectors", "rerank"] });
  expect(isComplete(grounding.value)).toBe(false);
  expect(groundingTold({ ...grounding.value, withheld: 1 })).toBe(
    "found:2 without:vectors+rerank withheld:1",
  );
});

test("where the screen fails nothing goes on unscreened, and the turn does", async () => {
  const { ground, faults } = worldOf({ vs_a: found(passage("a", 0.9, "unreadable")) });
  expect(await ground(null)).toMatchObject({ ok: true, value: { fault: "unreachable", passages: [] } });
  expect(faults).toEqual(["screen: the screen is down"]);
});

test("a short question waits for the history, and one that can't be had is no fault of the search", async () => {
  const short = [{ role: "user", content: "And in Spain?" }];
  const { ground, searches } = worldOf({ vs_a: found() }, short);
  await ground(Promise.resolve(ok([question])));
  await ground(Promise.resolve(err({ kind: "object-unknown" } as const)));
  expect(searches.map(({ queries }) => queries)).toEqual([
    [`${question.content}\nAnd in Spain?`],
    ["And in Spain?"],
  ]);
});

test("a question of pictures alone is searched for nowhere", async () => {
  const pictures = [{ role: "user", content: [{ type: "image_url" }] }];
  const { ground, searches } = worldOf({ vs_a: found(passage("a", 1)) }, pictures);
  expect(await ground(null)).toEqual(ok({ queries: [], passages: [], fault: null }));
  expect(searches).toEqual([]);
});

test("no turn keeps more than its journal may hold: the best go in whole, the others not at all", async () => {
  const { ground } = worldOf({
    vs_a: found(
      passage("a", 0.9, "x".repeat(60_000)),
      passage("b", 0.8, '"'.repeat(30_000)),
      passage("c", 0.7),
    ),
  });
  const grounding = await ground(null);
  expect(grounding.ok && grounding.value.passages.map(({ fileId }) => fileId)).toEqual(["a"]);
});

test("what was found is read back as it was kept, as much of it as the model was shown", async () => {
  const grounding = await worldOf({ vs_a: found(passage("a", 0.9), passage("b", 0.8)) }).ground(null);
  if (!grounding.ok) throw new Error("refused");
  expect(readGrounding(writeGrounding(shownOf(grounding.value, 1)))?.passages).toEqual([passage("a", 0.9)]);
  expect(shownOf(grounding.value, 2)).toBe(grounding.value);
  expect(groundingTold(shownOf(grounding.value, 1))).toBe("found:1 unshown:1");
  expect(readGrounding(null)).toBeNull();
});

const tenant = { retrieval: { default_vector_store_ids: ["vs_d"], max_results: 3, budget_ms: 200 } };

test("who asks for nothing gets what the tenant wants, who asks for false gets nothing, and older configurations want nothing", () => {
  expect(retrievalWish(undefined, tenant)).toMatchObject({
    storeIds: ["vs_d"],
    maxResults: 3,
    isDefault: true,
  });
  expect(retrievalWish(false, tenant)).toBeNull();
  expect(retrievalWish(undefined, {})).toBeNull();
  const asked = {
    vector_store_ids: ["vs_a"],
    max_num_results: 5,
    ranking_options: { ranker: "none" as const, score_threshold: 0.4 },
  };
  expect(retrievalWish(asked, tenant)).toEqual({
    storeIds: ["vs_a"],
    maxResults: 5,
    filters: null,
    scoreThreshold: 0.4,
    rerank: false,
    isDefault: false,
  });
});
