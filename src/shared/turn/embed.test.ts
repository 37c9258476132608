/** Embeddings whose engine answers something else: nobody has had anything of it, so another one is asked. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import devFleet from "../../../config/fleet.dev.json" with { type: "json" };
import type { ChargeId, OrgId, RequestId, TenantId, UserId } from "../contracts/ids.ts";
import { ok } from "../contracts/result.ts";
import type { Reservation, TurnUse } from "../limits/ports.ts";
import { fleetSchema } from "../routing/fleet/fleet-config.ts";
import { buildFleetIndex } from "../routing/fleet/fleet-index.ts";
import type { OriginAnswer, OriginOutcome, OriginRequest } from "../routing/ports.ts";
import { tenantConfigSchema } from "../tenancy/tenant-config.ts";
import type { EmbeddingRequest } from "../wire/embeddings-request.ts";
import { embed } from "./embed.ts";
import type { TurnDeps, ValidatedTurn } from "./ports.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const vectors = (...lengths: readonly number[]): string =>
  JSON.stringify({
    data: lengths.map((length, index) => ({ index, embedding: Array.from({ length }, () => 0.5) })),
    usage: { prompt_tokens: 7, total_tokens: 7 },
  });

type Engine = string | ReadableStream<Uint8Array>;

/** A fleet whose replicas answer these, one after the other. */
function world(...answers: readonly Engine[]) {
  const asked: OriginRequest[] = [];
  const reported: (readonly [string, OriginOutcome])[] = [];
  const settled: TurnUse[] = [];
  const tenant = tenantConfigSchema.parse({
    id: "acme",
    issuers: [
      {
        issuer: "https://acme.test",
        audience: "edgewise",
        algorithms: ["HS256"],
        keys: { type: "secret", name: "ACME_SECRET" },
      },
    ],
  });
  const reservation = {
    tokens: 100,
    microdollars: 0,
    settle: (use: TurnUse) => void settled.push(use),
  } as unknown as Reservation;
  const answerOf = (engine: Engine, replica: string, signal: AbortController): OriginAnswer => ({
    status: 200,
    contentType: "application/json",
    text: typeof engine === "string" ? engine : null,
    firstChunk: null,
    body:
      typeof engine === "string"
        ? null
        : engine.pipeThrough(new TransformStream(), { signal: signal.signal }),
    cluster: "us-east",
    replica,
    attempts: 1,
    arrived: () => undefined,
    report(outcome) {
      reported.push([replica, outcome]);
      if (outcome !== "done") signal.abort();
    },
  });
  const deps = {
    fleet: buildFleetIndex(fleetSchema.parse(devFleet)),
    admission: { admit: () => Promise.resolve(ok(reservation)) },
    origin: {
      dispatch(request: OriginRequest) {
        const engine = answers[asked.length] ?? "";
        asked.push(request);
        return Promise.resolve(ok(answerOf(engine, `r${asked.length - 1}`, new AbortController())));
      },
    },
    now: () => Date.now(),
  } as unknown as TurnDeps;
  const turn = {
    principal: {
      tenant: "acme" as TenantId,
      org: "acme" as OrgId,
      user: "u" as UserId,
      tier: "pro",
      scopes: [],
    },
    tenant,
    recall: null,
    responseId: "emb-1",
    chargeId: "emb-1" as ChargeId,
    requestId: "req-1" as RequestId,
    traceparent: "",
    place: {},
    cacheControl: null,
    createdMs: 0,
    mark: () => undefined,
  } as unknown as ValidatedTurn;
  const ask = (input: EmbeddingRequest["input"], signal = new AbortController().signal) =>
    embed(turn, { model: "bge-small", input }, deps, signal);
  return { ask, asked, reported, settled };
}

const broken: readonly (readonly [string, string])[] = [
  ["is cut within", '{"data":[{"index":0,"embedding":[0.5,}'],
  ["holds NaN, which is no JSON", '{"data":[{"index":0,"embedding":[NaN]}]}'],
  ["holds no data", '{"object":"list"}'],
  ["holds too few", vectors(2)],
  ["holds too many", vectors(2, 2, 2)],
  ["holds no vectors", '{"data":[{"index":0},{"index":1}]}'],
];

test.each(broken)(
  "an answer that %s: another replica is asked, once, and the client has its vectors",
  async (_, text) => {
    const { ask, asked, reported, settled } = world(text, vectors(2, 2));
    const embedded = await ask(["a", "b"]);
    if (!embedded.ok) throw new Error(embedded.error.kind);
    expect(JSON.parse(embedded.value.body)).toMatchObject({ data: [{ index: 0 }, { index: 1 }] });
    expect(embedded.value.attempts).toBe(2);
    expect(asked[1]?.goesOnFrom).toEqual([{ cluster: "us-east", replica: "r0" }]);
    expect(reported).toEqual([
      ["r0", "origin-error"],
      ["r1", "done"],
    ]);
    expect(settled).toMatchObject([{ tokens: 7, requests: 1 }]);
  },
);

test("two that can't be used end in 503 that costs nothing, and nobody else is asked in vain", async () => {
  const { ask, asked, settled } = world("{}", "{}", vectors(2));
  expect(await ask("a")).toMatchObject({
    ok: false,
    error: { kind: "origin-unavailable", detail: "the embeddings hold no data" },
  });
  expect(asked).toHaveLength(2);
  expect(settled).toMatchObject([{ tokens: 0, requests: 0 }]);
});

test.each<readonly [EmbeddingRequest["input"], number]>([
  ["one text", 1],
  [["one text"], 1],
  [["a", "b", "c"], 3],
  [[1, 2, 3], 1],
  [[[1, 2], [3]], 2],
])("input %j is so many vectors: %i", async (input, count) => {
  const { ask } = world(vectors(...Array.from({ length: count }, () => 2)));
  expect(await ask(input)).toMatchObject({ ok: true });
});

test("an answer of megabytes that stops coming is over when the deadline is", async () => {
  const { ask, asked, reported } = world(new ReadableStream<Uint8Array>());
  const asking = ask("a");
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(await asking).toMatchObject({ ok: false, error: { kind: "origin-unavailable" } });
  expect(asked).toHaveLength(1);
  expect(reported[0]).toEqual(["r0", "stalled"]);
});

test("a client who leaves meanwhile is gone, and nobody else is asked for him", async () => {
  const client = new AbortController();
  const cut = new ReadableStream<Uint8Array>({
    pull(controller) {
      client.abort();
      controller.error(new DOMException("aborted", "AbortError"));
    },
  });
  const { ask, asked, settled } = world(cut);
  expect(await ask("a", client.signal)).toMatchObject({ ok: false, error: { kind: "client-gone" } });
  expect(asked).toHaveLength(1);
  expect(settled).toMatchObject([{ tokens: 0 }]);
});
