/**
 * What happens when a policy routes a workload? Isolates of two locations, two clusters, replicas that behave as vLLM does, and
 * between them what isolates really know: their own requests, and a snapshot that was taken some time ago of what a pool had
 * been told by then.
 */
import { EventQueue } from "./event-queue.ts";
import { seededRandom } from "./random.ts";
import { ReplicaModel, usualSpeed, type ReplicaSpeed } from "./replica-model.ts";
import type { SimulatedRequest, Workload } from "./traces.ts";

export interface WorldSettings {
  readonly clusters: number;
  readonly replicasPerCluster: number;
  readonly isolates: number;
  readonly speed: ReplicaSpeed;
  /** Round trip to a cluster of the client's region, and of the other one. */
  readonly nearMs: number;
  readonly farMs: number;
  /** An isolate tells its pool of all that it has open at most so often, when something began or ended. */
  readonly tellMs: number;
  /** All isolates of a location share a snapshot for so long. */
  readonly sharedMs: number;
  /** A snapshot's way from the pool. */
  readonly fetchMs: number;
}

export const usualWorld: WorldSettings = {
  clusters: 2,
  replicasPerCluster: 8,
  isolates: 64,
  speed: usualSpeed,
  nearMs: 12,
  farMs: 90,
  tellMs: 1000,
  sharedMs: 1000,
  fetchMs: 40,
};

/** Of one replica: requests there, and tokens of their prompts and answers still to be worked off. */
export interface Counts {
  requests: number;
  tokens: number;
}

export interface Snapshot {
  readonly atMs: number;
  readonly counts: readonly Readonly<Counts>[];
  readonly cacheUsage: readonly number[];
}

/** What one isolate knows. */
export interface Isolate {
  readonly index: number;
  readonly region: number;
  /** Of all its own requests that are there now. */
  readonly own: readonly Counts[];
  snapshot: Snapshot | null;
  /** What of the snapshot is its own. */
  counted: readonly Readonly<Counts>[];
}

export interface Policy {
  readonly name: string;
  /** The index of the replica to ask. */
  choose(isolate: Isolate, request: SimulatedRequest, nowMs: number): number;
}

export interface WorldView {
  readonly settings: WorldSettings;
  /** Cluster of each replica; a cluster's index is its region's. */
  readonly clusterOf: readonly number[];
  readonly random: () => number;
  /** The truth, only for reference policies. */
  readonly replicas: readonly ReplicaModel[];
}

export interface Outcome {
  readonly firstTokenMs: readonly number[];
  /** Prompt tokens that were found in a prefix cache, of all. */
  readonly hitRate: number;
  /** Requests of the busiest replica over the mean. */
  readonly spread: number;
}

/**
 * Requests a second that the replicas do when nothing is found in their caches: with every slot taken, a step gives each answer a
 * token and computes as much prompt as that many answers need.
 */
export function capacity({ requests }: Workload, replicas: number, speed: ReplicaSpeed): number {
  let prompt = 0;
  let answer = 0;
  for (const { promptTokens, answerTokens } of requests) {
    prompt += promptTokens / requests.length;
    answer += answerTokens / requests.length;
  }
  const chunk = Math.min(speed.chunkTokens - speed.slots, (speed.slots * prompt) / answer);
  const running = (chunk * answer) / prompt;
  const stepMs =
    speed.stepMs + speed.stepMsPerAnswer * running + (1000 * chunk) / speed.prefillTokensPerSecond;
  return (replicas * 1000 * chunk) / (stepMs * prompt);
}

export function simulate(
  workload: Workload,
  load: number,
  makePolicy: (view: WorldView) => Policy,
  seed: number,
  settings: WorldSettings = usualWorld,
): Outcome {
  const events = new EventQueue();
  const random = seededRandom(seed);
  const count = settings.clusters * settings.replicasPerCluster;
  const replicas = Array.from(
    { length: count },
    () => new ReplicaModel(events, settings.speed, workload.blockIds),
  );
  const clusterOf = replicas.map((_, at) => Math.floor(at / settings.replicasPerCluster));
  const policy = makePolicy({ settings, clusterOf, random: seededRandom(seed + 1), replicas });

  const counts = (): Counts[] => replicas.map(() => ({ requests: 0, tokens: 0 }));
  const isolates = Array.from({ length: settings.isolates }, (_, index) => ({
    index,
    region: index % settings.clusters,
    own: counts(),
    snapshot: null as Snapshot | null,
    counted: counts() as readonly Readonly<Counts>[],
    /** What the pool was told last, and when. */
    told: counts(),
    toldAtMs: Number.NEGATIVE_INFINITY,
  }));
  type Actor = (typeof isolates)[number];
  /** Sum of what the pools were told. */
  const told = counts();
  const shared: ((Snapshot & { readonly counted: readonly (readonly Counts[])[] }) | null)[] = Array.from(
    { length: settings.clusters },
    () => null,
  );

  /** When a request is sent, begins to be answered, or ends: tell the pool, if it is time, and look for a younger snapshot in the location's cache. */
  const exchange = (isolate: Actor, nowMs: number): void => {
    const has = shared[isolate.region] ?? null;
    if (has === null || nowMs - has.atMs >= settings.sharedMs) {
      report(isolate, nowMs);
      const taken = {
        atMs: nowMs,
        counts: told.map((each) => ({ ...each })),
        cacheUsage: replicas.map((replica) => replica.cacheUsage),
        counted: isolates.map(({ told }) => told),
      };
      shared[isolate.region] = taken;
      events.at(nowMs + settings.fetchMs, () => adopt(isolate, taken));
      return;
    }
    adopt(isolate, has);
    if (nowMs - isolate.toldAtMs >= settings.tellMs) report(isolate, nowMs);
  };
  const report = (isolate: Actor, nowMs: number): void => {
    isolate.toldAtMs = nowMs;
    for (const [at, own] of isolate.own.entries()) {
      const [before, sum] = [isolate.told[at], told[at]];
      if (before === undefined || sum === undefined) continue;
      sum.requests += own.requests - before.requests;
      sum.tokens += own.tokens - before.tokens;
    }
    isolate.told = isolate.own.map((each) => ({ ...each }));
  };
  const adopt = (isolate: Actor, snapshot: NonNullable<(typeof shared)[number]>): void => {
    if (isolate.snapshot !== null && isolate.snapshot.atMs >= snapshot.atMs) return;
    isolate.snapshot = snapshot;
    isolate.counted = snapshot.counted[isolate.index] ?? counts();
  };
  const change = (isolate: Actor, replica: number, requests: number, tokens: number): void => {
    const own = isolate.own[replica];
    if (own === undefined) throw new Error(`no replica ${replica}`);
    own.requests += requests;
    own.tokens += tokens;
  };

  const perSecond = load * capacity(workload, count, settings.speed);
  const lastMs = workload.requests.at(-1)?.atMs ?? 1;
  const scale = ((workload.requests.length / lastMs) * 1000) / perSecond;
  const answerMean =
    workload.requests.reduce((sum, { answerTokens }) => sum + answerTokens, 0) / workload.requests.length;
  const firstTokenMs: number[] = [];
  for (const request of workload.requests) {
    events.at(request.atMs * scale, (nowMs) => {
      const perRegion = settings.isolates / settings.clusters;
      const isolate = isolates[Math.floor(random() * perRegion) * settings.clusters + request.region];
      if (isolate === undefined) throw new Error("no isolate");
      const at = policy.choose(isolate, request, nowMs);
      const replica = replicas[at];
      if (replica === undefined) throw new Error(`no replica ${at}`);
      const tripMs = clusterOf[at] === request.region ? settings.nearMs : settings.farMs;
      const { promptTokens } = request;
      // The answer's length is unknown beforehand: the workload's mean is reserved.
      change(isolate, at, 1, promptTokens + answerMean);
      exchange(isolate, nowMs);
      events.at(nowMs + tripMs / 2, (arrivedMs) =>
        replica.arrive(
          {
            request,
            onFirstToken: (tokenMs) =>
              events.at(tokenMs + tripMs / 2, (seenMs) => {
                firstTokenMs.push(seenMs - nowMs);
                change(isolate, at, 0, -promptTokens);
                exchange(isolate, seenMs);
              }),
            onEnd: (endedMs) =>
              events.at(endedMs + tripMs / 2, (seenMs) => {
                change(isolate, at, -1, -answerMean);
                exchange(isolate, seenMs);
              }),
          },
          arrivedMs,
        ),
      );
    });
  }
  events.run();
  const prompt = replicas.reduce((sum, replica) => sum + replica.promptTokens, 0);
  const hit = replicas.reduce((sum, replica) => sum + replica.hitTokens, 0);
  const served = replicas.map((replica) => replica.served);
  return {
    firstTokenMs: firstTokenMs.sort((left, right) => left - right),
    hitRate: hit / prompt,
    spread: Math.max(...served) / (served.reduce((sum, each) => sum + each, 0) / count),
  };
}
