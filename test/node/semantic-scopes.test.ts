/**
 * Whose answer may the semantic cache give? Of the same tenant, user (unless shared), versions, policies, instructions and sampling
 * alone, whatever was asked and stored by whom: here the index holds everybody's entries in one place and finds them all near.
 */
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { root } from "../../dev/local-secrets.ts";
import type { NewEntry, SemanticIndex } from "../../src/shared/cache/semantic/ports.ts";
import type { AnswerCache, CachedAnswer } from "../../src/shared/cache/ports.ts";
import type { ChargeId, OrgId, RequestId, TenantId, UserId } from "../../src/shared/contracts/ids.ts";
import { lexicalEmbedder } from "../../src/shared/retrieval/lexical-embedder.ts";
import { fleetSchema } from "../../src/shared/routing/fleet/fleet-config.ts";
import { buildFleetIndex, type FleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import { tenantConfigSchema } from "../../src/shared/tenancy/tenant-config.ts";
import { askedChat } from "../../src/shared/turn/asked-chat.ts";
import { KeyedHash } from "../../src/shared/turn/keyed-hash.ts";
import { lookup } from "../../src/shared/turn/lookup.ts";
import { planModel } from "../../src/shared/turn/plan.ts";
import type { TurnDeps, ValidatedTurn } from "../../src/shared/turn/ports.ts";
import { parseChatRequest } from "../../src/shared/wire/chat-request.ts";

const fleet = buildFleetIndex(
  fleetSchema.parse(JSON.parse(readFileSync(`${root}config/fleet.dev.json`, "utf8"))),
);

/** Everything that may make an answer another one, two or three ways each. */
const standing = fc.record({
  tenant: fc.constantFrom("one", "two"),
  user: fc.constantFrom("alice", "bob", "null"),
  share: fc.constantFrom("user", "tenant"),
  version: fc.constantFrom("1", "2"),
  fleetVersion: fc.constantFrom("f1", "f2"),
  prompt: fc.constantFrom(null, "Be brief."),
  safety: fc.constantFrom("off", "mask"),
  model: fc.constantFrom("auto", "llama-3.1-8b"),
  system: fc.constantFrom(null, "Answer in French."),
  sampling: fc.constantFrom({}, { max_tokens: 5 }, { top_p: 0.5 }, { reasoning_effort: "low" }),
});
type Standing = typeof standing extends fc.Arbitrary<infer T> ? T : never;

/** Questions that ask the same, said differently; no answer to one is an answer to another. */
const questions = [
  ["What is the capital of France?", "what's the capital of France", "Which is the capital in France"],
  ["How can I boil 2 eggs?", "What is the best way to boil 2 eggs?"],
  ["How can I boil 3 eggs?", "how to boil 3 eggs"],
  ["Why is the sky not blue?", "Why the sky is not blue?"],
];
const asked = fc
  .nat(questions.length - 1)
  .chain((at) => fc.constantFrom(...(questions[at] ?? [])).map((text) => ({ question: at, text })));

/** What an answer may be given to. Under `share: "tenant"` the user is nobody in particular. */
function identity({ user, share, ...rest }: Standing, question: number): string {
  return JSON.stringify({ ...rest, user: share === "tenant" ? null : user, share, question });
}

const usage = { promptTokens: 1, completionTokens: 1, cachedTokens: 0, reasoningTokens: 0 };

function answerOf(content: string): CachedAnswer {
  return {
    model: "m",
    createdMs: 1000,
    choices: [{ content, reasoning: null, toolCalls: [], finishReason: "stop" }],
    usage,
  };
}

/** One for all: it looks at no owner, and whatever has the scope is near. */
function oneIndex(): SemanticIndex {
  const entries: NewEntry[] = [];
  return {
    nearest: async (_place, { scope }) =>
      entries.filter((entry) => entry.scope === scope).map((entry) => ({ ...entry, score: 1 })),
    keep: async (_place, entry) => void entries.unshift(entry),
  };
}

function world() {
  const answers = new Map<string, CachedAnswer>();
  const cache: AnswerCache = {
    lookup: async (key) => {
      const answer = answers.get(key);
      return answer === undefined
        ? { result: "miss" }
        : { result: "hit", answer, ttlSeconds: 60, tier: "kv" };
    },
    store: async (key, answer) => void answers.set(key, answer),
  };
  const faults: string[] = [];
  const semantic = {
    index: oneIndex(),
    lexical: lexicalEmbedder,
    hash: new KeyedHash("a secret of some length"),
    nowMs: () => 2000,
    timer: () => () => undefined,
    onFault: (detail: string) => void faults.push(detail),
  };
  const background = { run: (_name: string, work: Promise<unknown>) => void work };
  const deps = (version: string) =>
    ({
      fleet: { ...fleet, version } as FleetIndex,
      cache: () => cache,
      semantic,
      background,
      now: () => 2000,
    }) as unknown as TurnDeps;
  return { deps, cache, faults };
}

function turnOf(who: Standing, text: string): ValidatedTurn {
  const tenant = tenantConfigSchema.parse({
    id: who.tenant,
    version: who.version,
    issuers: [
      {
        issuer: "https://issuer.test",
        audience: "a",
        algorithms: ["HS256"],
        keys: { type: "secret", name: "SECRET" },
      },
    ],
    default_system_prompt: who.prompt,
    cache: { share: who.share, semantic: { mode: "on" } },
    safety: { output: { action: who.safety } },
  });
  const request = parseChatRequest(
    JSON.stringify({
      model: who.model,
      temperature: 0,
      ...who.sampling,
      messages: [
        ...(who.system === null ? [] : [{ role: "system", content: who.system }]),
        { role: "user", content: text },
      ],
    }),
  );
  if (!request.ok) throw new Error(JSON.stringify(request.error));
  return {
    principal: {
      tenant: who.tenant as TenantId,
      org: who.tenant as OrgId,
      user: who.user as UserId,
      tier: "free",
      scopes: new Set(),
      proof: "jwt",
      expiresAtMs: Number.POSITIVE_INFINITY,
      issuedAtMs: 0,
      key: null,
    },
    tenant,
    asked: askedChat(request.value),
    recall: null,
    ground: null,
    responseId: "chatcmpl-x",
    chargeId: "chatcmpl-x" as ChargeId,
    requestId: "req" as RequestId,
    traceparent: "00-00000000000000000000000000000001-0000000000000001-01",
    place: {},
    cacheControl: null,
    createdMs: 1000,
    mark: () => undefined,
  };
}

async function look(turn: ValidatedTurn, deps: TurnDeps) {
  const plan = planModel(deps.fleet, turn.tenant, turn.asked.model, turn.asked.capabilities, turn);
  if (!plan.ok) throw new Error(plan.error.kind);
  return lookup(turn, plan.value, deps, new AbortController().signal);
}

test("no answer of another user, tenant, version, policy, model or request is ever given, whatever was stored before", async () => {
  let semanticHits = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(standing, asked), { minLength: 2, maxLength: 12 }), async (turns) => {
      const { deps, cache, faults } = world();
      for (const [who, { question, text }] of turns) {
        const standingOf = await look(turnOf(who, text), deps(who.fleetVersion));
        if (standingOf.lookup?.result === "hit") {
          expect(standingOf.lookup.answer.choices[0]?.content).toBe(identity(who, question));
          if (standingOf.semantic?.result === "semantic_hit") semanticHits += 1;
          continue;
        }
        const { storeKey, semantic } = standingOf;
        if (storeKey === null || semantic === undefined) throw new Error("such a question is for the cache");
        await cache.store(storeKey, answerOf(identity(who, question)), 60);
        await semantic.keep(storeKey, 60);
      }
      expect(faults).toEqual([]);
    }),
    { numRuns: 300 },
  );
  // Of one standing alone: there are 3,000 others, so that chance seldom meets one twice.
  await fc.assert(
    fc.asyncProperty(standing, fc.array(asked, { minLength: 8, maxLength: 16 }), async (who, texts) => {
      const { deps, cache } = world();
      for (const { question, text } of texts) {
        const found = await look(turnOf(who, text), deps(who.fleetVersion));
        if (found.lookup?.result === "hit") {
          expect(found.lookup.answer.choices[0]?.content).toBe(identity(who, question));
          if (found.semantic?.result === "semantic_hit") semanticHits += 1;
          continue;
        }
        await cache.store(found.storeKey ?? "", answerOf(identity(who, question)), 60);
        await found.semantic?.keep(found.storeKey ?? "", 60);
      }
    }),
    { numRuns: 50 },
  );
  expect(semanticHits).toBeGreaterThan(20);
});

test("two who differ in one thing alone never share an answer", async () => {
  await fc.assert(
    fc.asyncProperty(
      standing,
      standing,
      fc.constantFrom<keyof Standing>(
        "tenant",
        "user",
        "version",
        "fleetVersion",
        "prompt",
        "safety",
        "model",
        "system",
        "sampling",
      ),
      async (one, other, field) => {
        fc.pre(JSON.stringify(one[field]) !== JSON.stringify(other[field]));
        fc.pre(field !== "user" || one.share === "user");
        const { deps, cache } = world();
        const [first = "", second = ""] = questions[0] ?? [];
        const stored = await look(turnOf(one, first), deps(one.fleetVersion));
        await cache.store(stored.storeKey ?? "", answerOf("first"), 60);
        await stored.semantic?.keep(stored.storeKey ?? "", 60);
        const same = await look(turnOf(one, second), deps(one.fleetVersion));
        expect(same.lookup?.result).toBe("hit");
        const changed = { ...one, [field]: other[field] };
        for (const text of [first, second])
          expect((await look(turnOf(changed, text), deps(changed.fleetVersion))).lookup?.result).toBe("miss");
      },
    ),
    { numRuns: 100 },
  );
});

test("what is older than the client takes is a miss", async () => {
  const { deps, cache } = world();
  const who: Standing = {
    tenant: "one",
    user: "alice",
    share: "user",
    version: "1",
    fleetVersion: "f1",
    prompt: null,
    safety: "off",
    model: "auto",
    system: null,
    sampling: {},
  };
  const stored = await look(turnOf(who, "How can I boil 2 eggs?"), deps("f1"));
  await cache.store(stored.storeKey ?? "", answerOf("first"), 60);
  await stored.semantic?.keep(stored.storeKey ?? "", 60);
  // Made at 1,000 ms, asked for at 2,000.
  const other = "how to boil 2 eggs";
  const within = (seconds: number) =>
    look({ ...turnOf(who, other), cacheControl: `max-age=${seconds}` }, deps("f1"));
  expect((await within(1)).lookup?.result).toBe("hit");
  const clockLater = { ...deps("f1"), now: () => 4000 } as TurnDeps;
  expect((await look({ ...turnOf(who, other), cacheControl: "max-age=1" }, clockLater)).lookup?.result).toBe(
    "miss",
  );
});
