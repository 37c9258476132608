/** The usual policies that ours is measured against, with the same knowledge, and one that knows everything. */
import { rendezvous } from "../../src/shared/routing/choice/rendezvous.ts";
import { seedOf } from "../../src/shared/routing/choice/affinity.ts";
import type { Counts, Isolate, Policy, WorldView } from "./world.ts";

export function roundRobin({ clusterOf, random }: WorldView): Policy {
  const next = new Map<number, number>();
  return {
    name: "round robin",
    choose({ index }) {
      const at = next.get(index) ?? Math.floor(random() * clusterOf.length);
      next.set(index, at + 1);
      return at % clusterOf.length;
    },
  };
}

export function atRandom({ clusterOf, random }: WorldView): Policy {
  return { name: "random", choose: () => Math.floor(random() * clusterOf.length) };
}

/** The fewest requests by the snapshot and what the isolate did since; of equals, any. */
export function leastLoaded({ clusterOf, random }: WorldView): Policy {
  return {
    name: "least-loaded",
    choose: (isolate) => least(clusterOf.length, random, (at) => believed(isolate, at).requests),
  };
}

/** Rendezvous on the prompt's first 1,024 tokens, or all of it. */
export function prefixHash({ clusterOf, random }: WorldView): Policy {
  const seeds = clusterOf.map((_, at) => seedOf(`replica ${at} ${random()}`));
  return {
    name: "prefix-hash",
    choose: (_isolate, { marks }) => home(marks[0]?.id ?? 0, seeds),
  };
}

/** The same within the client's own region: for reference, since the others look at no distance. */
export function nearPrefixHash({ clusterOf, random }: WorldView): Policy {
  const seeds = clusterOf.map((_, at) => seedOf(`replica ${at} ${random()}`));
  return {
    name: "(hash, near)",
    choose: (_isolate, { marks, region }) =>
      home(
        marks[0]?.id ?? 0,
        seeds.map((seed, at) => (clusterOf[at] === region ? seed : null)),
      ),
  };
}

/** Rendezvous on the conversation. */
export function conversationHash({ clusterOf, random }: WorldView): Policy {
  const seeds = clusterOf.map((_, at) => seedOf(`replica ${at} ${random()}`));
  return {
    name: "conversation-hash",
    choose: (_isolate, { marks, conversationAt }) => home(marks[conversationAt]?.id ?? 0, seeds),
  };
}

/** Knows everything at once, and so is no competitor: how well could it go? */
export function allKnowing({ replicas, random, settings }: WorldView): Policy {
  return {
    name: "(all-knowing)",
    choose: (_isolate, request) =>
      least(replicas.length, random, (at) => {
        const replica = replicas[at];
        if (replica === undefined) return Number.POSITIVE_INFINITY;
        const work = replica.queuedTokens + request.promptTokens - replica.held(request);
        return work + (Math.floor(at / settings.replicasPerCluster) === request.region ? 0 : 1200);
      }),
  };
}

/** The snapshot, with the isolate's own requests as they are now. */
function believed({ snapshot, counted, own }: Isolate, at: number): Counts {
  const seen = snapshot?.counts[at] ?? none;
  const mine = own[at] ?? none;
  const then = counted[at] ?? none;
  return {
    requests: Math.max(0, seen.requests - then.requests) + mine.requests,
    tokens: Math.max(0, seen.tokens - then.tokens) + mine.tokens,
  };
}

const none: Counts = { requests: 0, tokens: 0 };

/** `null`: not that one. */
function home(key: number, seeds: readonly (number | null)[]): number {
  let best = 0;
  let most = -1;
  for (const [at, seed] of seeds.entries()) {
    if (seed === null) continue;
    const wish = rendezvous(key, seed);
    if (wish > most) {
      most = wish;
      best = at;
    }
  }
  return best;
}

function least(count: number, random: () => number, costOf: (at: number) => number): number {
  const offset = Math.floor(random() * count);
  let best = offset;
  let lowest = Number.POSITIVE_INFINITY;
  for (let step = 0; step < count; step += 1) {
    const at = (offset + step) % count;
    const cost = costOf(at);
    if (cost < lowest) {
      lowest = cost;
      best = at;
    }
  }
  return best;
}
