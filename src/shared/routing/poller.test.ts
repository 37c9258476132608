import { expect, test } from "vitest";
import { fakeFleet } from "../../../test/workers/fake-replicas.ts";
import { buildFleetIndex } from "./fleet/fleet-index.ts";
import { findReplica } from "./poller.ts";
import { RouterState } from "./router-state.ts";

async function isAlive(health: () => Response | Promise<Response>): Promise<boolean> {
  const [cluster] = new RouterState().clusters(buildFleetIndex(fakeFleet(1))).values();
  const replica = cluster?.replicas[0];
  if (replica === undefined) throw new Error("the fleet has a replica");
  const { isAlive } = await findReplica(
    replica,
    async (url) => (url.endsWith("/health") ? health() : new Response("")),
    1000,
  );
  return isAlive;
}

test.each([
  [200, true, "well"],
  [404, true, "a server without the page"],
  [401, true, "one that wants a key for it"],
  [302, false, "Access, which sends an expired service token to its login page: no engine was asked"],
  [500, false, "broken"],
  [503, false, "vLLM whose engine is dead"],
] as const)("a health page that says %i: alive is %s (%s)", async (status, alive, _what) => {
  expect(await isAlive(() => new Response(null, { status }))).toBe(alive);
});

test("a replica that can't be reached is not alive", async () => {
  expect(await isAlive(() => Promise.reject(new TypeError("refused")))).toBe(false);
});
