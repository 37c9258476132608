/**
 * A whole direct turn in one process under a fake clock: the stages, the router, the relay, and the dev fleet's replicas
 * without sockets. Limits are fakes that note what was charged.
 */
import { readFileSync } from "node:fs";
import { vi } from "vitest";
import { root } from "../../dev/local-secrets.ts";
import { servedModels } from "../../dev/origin/catalog.ts";
import { faultSchema, type FaultInput } from "../../dev/origin/server/faults.ts";
import { Replica } from "../../dev/origin/server/replica.ts";
import type { ChargeId, OrgId, RequestId, TenantId, UserId } from "../../src/shared/contracts/ids.ts";
import { ok } from "../../src/shared/contracts/result.ts";
import { createGround, type Ground, type Grounding } from "../../src/shared/grounding/ground.ts";
import { passageScreen } from "../../src/shared/grounding/screen-passages.ts";
import { retrievalBudgetMs, retrievalWish } from "../../src/shared/grounding/retrieval-wish.ts";
import { AnswerLengths } from "../../src/shared/limits/answer-lengths.ts";
import type { Admission, Reservation, TurnUse } from "../../src/shared/limits/ports.ts";
import { TokenCalibration } from "../../src/shared/prompt/token-calibration.ts";
import type { KnowledgeSource } from "../../src/shared/retrieval/ports.ts";
import { fleetSchema, type Fleet } from "../../src/shared/routing/fleet/fleet-config.ts";
import { buildFleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import { createOriginRouter } from "../../src/shared/routing/origin-router.ts";
import type { Origin, OriginRequest } from "../../src/shared/routing/ports.ts";
import { Poller } from "../../src/shared/routing/poller.ts";
import { RouterState } from "../../src/shared/routing/router-state.ts";
import { tenantConfigSchema, type TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import { answerDirect, type TurnEnding } from "../../src/shared/turn/answer-direct.ts";
import { askedChat } from "../../src/shared/turn/asked-chat.ts";
import type { Asked } from "../../src/shared/turn/asked.ts";
import { openTurn } from "../../src/shared/turn/open-turn.ts";
import type { TurnDeps } from "../../src/shared/turn/ports.ts";
import { parseChatRequest } from "../../src/shared/wire/chat-request.ts";
import { askInProcess } from "./in-process-replica.ts";

const document = fleetSchema.parse(JSON.parse(readFileSync(`${root}config/fleet.dev.json`, "utf8")));

export interface TurnWorld {
  readonly state: RouterState;
  readonly replicas: readonly Replica[];
  /** Bodies of the generations that each replica was asked for, in order. */
  readonly asked: readonly { readonly replica: number; readonly body: Readonly<Record<string, unknown>> }[];
  /** What the router was asked for, in order. */
  readonly dispatched: readonly OriginRequest[];
  setFault(replica: number, fault: FaultInput): void;
  /** The replica that is asked next meets it: where a request goes first is its prefix's business. */
  faultNext(fault: FaultInput): void;
  /** The breaker of a replica. */
  known(
    replica: number,
  ): ReturnType<RouterState["clusters"]> extends ReadonlyMap<string, infer S>
    ? S extends { replicas: readonly (infer R)[] }
      ? R
      : never
    : never;
  chat(body: Readonly<Record<string, unknown>>): Promise<TurnResult>;
  run(asked: Asked, ground?: Ground | null, yields?: boolean): Promise<TurnResult>;
}

export interface TurnResult {
  /** What the client read of a stream, or the whole answer's JSON; `null`: it was refused. */
  readonly text: string | null;
  /** The refusal's kind, where it was refused. */
  readonly refused: string | null;
  /** Every settlement; one is right. */
  readonly charged: readonly TurnUse[];
  readonly endings: readonly TurnEnding[];
  /** What the model was given of files; absent: nothing was asked for. */
  readonly grounding?: Grounding | null;
}

export interface TurnWorldOptions {
  readonly replicas: number;
  readonly tenant?: Readonly<Record<string, unknown>>;
  /** Changes the dev fleet's document. */
  readonly fleet?: (fleet: Fleet) => Fleet;
  readonly speed?: { readonly ttftMs: number; readonly tokenMs: number };
  /** What files say: asked by chats that want passages. */
  readonly knowledge?: KnowledgeSource;
}

const transportNames = (at: number): string => `http://replica-${at}.test`;

export function turnWorld(options: TurnWorldOptions): TurnWorld {
  const [first] = document.clusters;
  if (first === undefined) throw new Error("the dev fleet has no cluster");
  const fleet: Fleet = (options.fleet ?? ((one) => one))({
    ...document,
    clusters: [
      {
        ...first,
        replicas: Array.from({ length: options.replicas }, (_, at) => ({
          id: `r${at}`,
          url: transportNames(at),
          slots: 8,
        })),
      },
    ],
  });
  const [cluster] = fleet.clusters;
  if (cluster === undefined) throw new Error("the changed fleet has no cluster");
  const speed = options.speed ?? { ttftMs: 1, tokenMs: 1 };
  const replicas = cluster.replicas.map(
    () =>
      new Replica({
        models: servedModels(cluster),
        settings: { ...speed, reasoningField: "reasoning" },
        slots: 8,
        quiet: true,
      }),
  );
  const index = buildFleetIndex(fleet);
  const state = new RouterState();
  const asked: { replica: number; body: Record<string, unknown> }[] = [];
  const next: FaultInput[] = [];
  const background = { run: (_name: string, work: Promise<unknown>) => void work.catch(() => undefined) };
  const dispatched: OriginRequest[] = [];
  const router = createOriginRouter({
    callerRegisters: true,
    state,
    poller: new Poller(),
    fleet: index,
    transport: (url, init) => {
      const at = Number(/replica-(\d+)/.exec(url)?.[1]);
      const replica = replicas[at];
      if (replica === undefined) throw new Error(`no replica ${url}`);
      if (init.method === "POST" && typeof init.body === "string") {
        asked.push({ replica: at, body: JSON.parse(init.body) as Record<string, unknown> });
        for (const fault of next.splice(0)) replica.faults.add(faultSchema.parse(fault));
      }
      return askInProcess(replica, url, init);
    },
    background,
    now: () => Date.now(),
    random: () => 0,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  const origin: Origin = {
    dispatch(request, signal) {
      dispatched.push(request);
      return router.dispatch(request, signal);
    },
    probe: (name) => router.probe(name),
  };
  const tenant: TenantConfig = tenantConfigSchema.parse({
    id: "grid",
    issuers: [
      {
        issuer: "https://issuer.test",
        audience: "edgewise",
        algorithms: ["HS256"],
        keys: { type: "secret", name: "SECRET" },
      },
    ],
    ...options.tenant,
  });

  const run = async (asked: Asked, ground: Ground | null = null, yields = false): Promise<TurnResult> => {
    const charged: TurnUse[] = [];
    const endings: TurnEnding[] = [];
    const deps: TurnDeps = {
      fleet: index,
      admission: admissionNoting(charged),
      origin,
      cache: () => ({ lookup: () => Promise.resolve({ result: "miss" }), store: () => Promise.resolve() }),
      semantic: null,
      background,
      calibration: new TokenCalibration(),
      answerLengths: new AnswerLengths(),
      cacheSalt: () => "salt",
      pipe: () => new TransformStream(),
      now: () => Date.now(),
      mirror: null,
    };
    const { signal } = new AbortController();
    const opened = await openTurn(
      {
        principal: {
          tenant: "grid" as TenantId,
          org: "grid" as OrgId,
          user: "user" as UserId,
          tier: "free",
          scopes: new Set(),
          proof: "jwt",
          expiresAtMs: Number.POSITIVE_INFINITY,
          issuedAtMs: 0,
          key: null,
        },
        tenant,
        asked,
        recall: null,
        ground,
        responseId: "chatcmpl-grid",
        chargeId: "chatcmpl-grid" as ChargeId,
        requestId: "req" as RequestId,
        traceparent: "00-00000000000000000000000000000001-0000000000000001-01",
        place: {},
        cacheControl: "no-store",
        createdMs: Date.now(),
        yields,
        mark: () => undefined,
      },
      deps,
      signal,
    );
    if (!opened.ok) return { text: null, refused: opened.error.kind, charged, endings };
    if (opened.value.kind === "cached") throw new Error("nothing is cached here");
    const answered = await answerDirect(
      opened.value,
      deps,
      { background, onEnd: (ending) => void endings.push(ending) },
      signal,
    );
    if (!answered.ok) return { text: null, refused: answered.error.kind, charged, endings };
    const { body } = answered.value;
    return {
      text: typeof body === "string" ? body : await new Response(body).text(),
      refused: null,
      charged,
      endings,
      grounding: opened.value.grounding,
    };
  };
  return {
    state,
    replicas,
    asked,
    dispatched,
    faultNext: (fault) => void next.push(fault),
    setFault: (at, fault) => replicas[at]?.faults.add(faultSchema.parse(fault)),
    known: (at) => {
      const replica = state.clusters(index).get(cluster.id)?.replicas[at];
      if (replica === undefined) throw new Error("no such replica");
      return replica;
    },
    run,
    chat: (body) => {
      const parsed = parseChatRequest(JSON.stringify(body));
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
      const wish = retrievalWish(parsed.value.retrieval, tenant);
      if (wish === null || options.knowledge === undefined) return run(askedChat(parsed.value));
      const ground = createGround({
        wish,
        messages: parsed.value.messages,
        source: options.knowledge,
        screen: passageScreen(tenant.safety, {}),
        budgetMs: retrievalBudgetMs(tenant),
        timer: (ms, fire) => {
          const timer = setTimeout(fire, ms);
          return () => clearTimeout(timer);
        },
        onFault: () => undefined,
      });
      return run(askedChat(parsed.value), ground);
    },
  };
}

/** Lets everything in, and notes what is charged. */
function admissionNoting(charged: TurnUse[]): Admission {
  return {
    admit: (request) => {
      const reservation: Reservation = {
        chargeId: request.chargeId,
        standing: { requests: nearest, tokens: nearest },
        tokens: 1_000_000,
        microdollars: 1_000_000_000,
        extend: () => true,
        refusal: null,
        settle: (use) => void charged.push(use),
      };
      return Promise.resolve(ok(reservation));
    },
  };
}

const nearest = { limit: 1, remaining: 1, resetMs: 0, name: "user/requests_per_minute" };

/** Runs the fake clock until the work is done. */
export async function underClock<T>(work: Promise<T>): Promise<T> {
  const progress = { over: false };
  const watched = work.finally(() => {
    progress.over = true;
  });
  for (let stepMs = 10; !progress.over; stepMs = Math.min(stepMs * 2, 2000))
    await vi.advanceTimersByTimeAsync(stepMs);
  return watched;
}
