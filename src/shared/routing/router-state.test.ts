import { expect, test } from "vitest";
import { fakeFleet } from "../../../test/workers/fake-replicas.ts";
import { fleetSchema } from "./fleet/fleet-config.ts";
import { buildFleetIndex } from "./fleet/fleet-index.ts";
import { Pool } from "./pool/pool.ts";
import type { MemberConfig } from "./pool/replica-record.ts";
import { seeded } from "./pool/seeded-fixture.ts";
import { RouterState, type ReplicaState } from "./router-state.ts";

type Way = { readonly url: string } | { readonly vpc: { readonly network: string; readonly host: string } };

function indexOf(ways: readonly Way[]) {
  return buildFleetIndex(
    fleetSchema.parse({
      version: "1",
      clusters: [
        {
          id: "c",
          region: "r",
          pool: true,
          replicas: ways.map((way, at) => ({ id: `r${at}`, zone: "a", slots: 8, ...way })),
          models: [{ id: "m", served_name: "M", context_window: 4096 }],
        },
      ],
    }),
  );
}
const member: MemberConfig = { id: "new", slots: 8, zone: "a", url: "http://10.0.1.9:8443" };
const byUrl: readonly Way[] = [{ url: "http://a.test" }, { url: "http://b.test" }];
const onNetwork = (network: string, at: number): Way => ({ vpc: { network, host: `10.0.1.${at}:8443` } });

function seen(state: RouterState, index: ReturnType<typeof indexOf>, id: string): ReplicaState | undefined {
  return state
    .clusters(index)
    .get("c")
    ?.replicas.find((replica) => replica.id === id);
}

test("whoever joins is known with its pool's word from the first request on: it starts slowly at every isolate", () => {
  const pool = new Pool({ cluster: "c", incarnation: "1", random: seeded(1) });
  pool.members.adopt([{ id: "r0", slots: 8, zone: "a", url: null }], 0);
  pool.members.join(member, 50_000);
  const state = new RouterState();
  const index = indexOf(byUrl);
  expect(seen(state, index, "new")).toBeUndefined();
  state.heard(pool.snapshot(51_000));
  expect(seen(state, index, "new")?.known.pooled).toMatchObject({
    view: { id: "new", weight: 0.1, state: "active" },
    atMs: 51_000,
    ownRequests: 0,
  });
  // So is one that is new in the fleet file, where the pool has read that first.
  pool.members.adopt(
    [
      { id: "r0", slots: 8, zone: "a", url: null },
      { id: "r2", slots: 8, zone: "a", url: null },
    ],
    60_000,
  );
  state.heard(pool.snapshot(60_000));
  const longer = indexOf([...byUrl, { url: "http://c.test" }]);
  expect(seen(state, longer, "r2")?.known.pooled?.view.weight).toBe(0.1);
  expect(seen(state, longer, "r1")?.known.pooled).toBeNull();
});

test("those who joined are peers of their zone, and a zone that changes is taken over", () => {
  const state = new RouterState();
  const index = indexOf(byUrl);
  expect(seen(state, index, "r0")?.zonePeers).toBe(2);
  state.joined("c", [member]);
  expect(seen(state, index, "r0")?.zonePeers).toBe(3);
  expect(seen(state, index, "new")?.zonePeers).toBe(3);
  state.joined("c", [{ ...member, zone: "b" }]);
  expect(seen(state, index, "new")).toMatchObject({ zone: "b", zonePeers: 1 });
  expect(seen(state, index, "r0")?.zonePeers).toBe(2);
});

test("whoever joins a cluster behind one network binding is reached through it", () => {
  const network = (ways: readonly Way[]) => {
    const state = new RouterState();
    state.joined("c", [member]);
    const joined = seen(state, indexOf(ways), "new");
    expect(joined?.url).toBe("http://10.0.1.9:8443");
    return joined?.target.replica.vpc?.network;
  };
  expect(network([onNetwork("VPC_A", 1), onNetwork("VPC_A", 2)])).toBe("VPC_A");
  // Two networks, or a replica beside them that has none: its URL is reached as it is.
  expect(network([onNetwork("VPC_A", 1), onNetwork("VPC_B", 2)])).toBeUndefined();
  expect(network([onNetwork("VPC_A", 1), { url: "http://b.test" }])).toBeUndefined();
  expect(network(byUrl)).toBeUndefined();
});

test("a new fleet document keeps what is known of replicas that stay, and forgets the others", () => {
  const state = new RouterState();
  const before = state.clusters(buildFleetIndex(fakeFleet(2))).get("c0")?.replicas ?? [];
  const after = state.clusters(buildFleetIndex(fakeFleet(1, 1))).get("c0")?.replicas ?? [];
  expect(after).toHaveLength(1);
  expect(after[0]?.known).toBe(before[0]?.known);
  const again = state.clusters(buildFleetIndex(fakeFleet(2))).get("c0")?.replicas ?? [];
  expect(again[1]?.known).not.toBe(before[1]?.known);
});
