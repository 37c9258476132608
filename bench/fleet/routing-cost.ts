/**
 * What does routing add to a request? Times the choice of a replica and the making of the affinity keys alone, in this process: no
 * network, no remote call, as on an isolate's way. `npm run bench:fleet` prints it.
 */
import { affinityKeys, seedOf } from "../../src/shared/routing/choice/affinity.ts";
import { choose, homeKeyOf } from "../../src/shared/routing/choice/choose.ts";
import { buildFleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import { clientRegion } from "../../src/shared/routing/pool/client-region.ts";
import { RouterState } from "../../src/shared/routing/router-state.ts";
import { simulatedFleet } from "./ours.ts";
import { pooledView } from "./pooled-view.ts";
import { seededRandom } from "./random.ts";

const rounds = 15;

/** Microseconds of one choice among so many replicas of one model, every one with a snapshot's view and requests of our own. */
export function measureChoice(replicas: number): number {
  const random = seededRandom(1);
  const state = new RouterState();
  const index = buildFleetIndex(simulatedFleet(2, replicas / 2, 64));
  const clusters = [...state.clusters(index).values()];
  for (const { replicas } of clusters)
    for (const { known, id } of replicas) {
      known.occupancy.requests = 1;
      known.occupancy.tokens = 900;
      const requests = Math.floor(random() * 60);
      known.pooled = pooledView(id, { requests, tokens: requests * 700 }, random(), 0);
    }
  const place = { latitude: 48, longitude: 2 };
  let nowMs = 500;
  return microseconds(2000, (turn) => {
    nowMs += 0.01;
    const homeKey = homeKeyOf({ keys: [turn % 50, turn], conversationAt: 1 }, state.heat, replicas);
    const wanted = {
      model: "m",
      from: place,
      region: clientRegion(place),
      promptTokens: 900,
      tokens: 1100,
      homeKey,
    };
    return choose(clusters, wanted, { tried: [], zones: state.zones, nowMs, random })?.seed ?? 0;
  });
}

/** Microseconds of the keys of a prompt of so many characters. */
export function measureAffinity(characters: number): number {
  const seed = seedOf("salt");
  // Another text each time, made flat before it is timed, as a body that was parsed is.
  const texts = Array.from({ length: 20 }, (_, at) =>
    JSON.parse(JSON.stringify(`${at} ${"lorem ipsum dolor sit amet ".repeat(characters / 27)}`)),
  ) as string[];
  return microseconds(2000, (turn) => {
    const messages = [
      { role: "system", content: "You are terse." },
      { role: "user", content: texts[turn % texts.length] ?? "" },
    ];
    return affinityKeys(messages, seed).keys.length;
  });
}

/**
 * CPU of the process, which other guests of the machine do not add to; the median of the rounds. What `run` returns is added up, so
 * that nothing is optimised away.
 */
function microseconds(turns: number, run: (turn: number) => number): number {
  const times: number[] = [];
  let sum = 0;
  for (let round = 0; round < rounds; round += 1) {
    const before = process.cpuUsage();
    for (let turn = 0; turn < turns; turn += 1) sum += run(turn);
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / turns);
  }
  if (!Number.isFinite(sum)) throw new Error("nothing was measured");
  times.sort((left, right) => left - right);
  return times[Math.floor(times.length / 2)] ?? Number.NaN;
}
