/** Pools and their queue on real sockets: both mounts, a fleet of eight places, engines whose own queue must stay empty. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeToken } from "../../../dev/commands/local-token.ts";
import { isOf } from "../engine-id.ts";
import { startServeWorld, type ServeWorld } from "./serve-world.ts";

interface Cluster {
  readonly id: string;
  readonly pool: string;
  readonly isolates: number;
  readonly leases: number;
  readonly queue: { readonly waiting: number };
  readonly replicas: readonly {
    readonly id: string;
    readonly state: string;
    readonly healthy: boolean | null;
  }[];
}

const slots = 2;

describe.each(["in-process", "service"] as const)("pools, router %s", (router) => {
  let world: ServeWorld;
  let admin = "";
  let token = "";

  beforeAll(async () => {
    [admin, token] = await Promise.all([
      makeToken(["--platform", "--scope", "platform:admin"]),
      makeToken(["--tenant", "demo", "--user", `pool-${router}`, "--tier", "enterprise"]),
    ]);
    world = await startServeWorld({ router, fleet: { slots, ttftMs: 5, tokenMs: 5 } });
  });

  afterAll(() => world.stop());

  const ask = (tokens: number, requestId: string, stream = false): Promise<Response> =>
    world.post(
      token,
      {
        model: "auto",
        stream,
        max_tokens: tokens,
        messages: [{ role: "user", content: `Tell me of ${requestId}` }],
      },
      { headers: { "x-request-id": requestId } },
    );

  async function clusters(): Promise<readonly Cluster[]> {
    const response = await fetch(`${world.url}/admin/fleet`, {
      headers: { authorization: `Bearer ${admin}` },
    });
    return ((await response.json()) as { clusters: readonly Cluster[] }).clusters;
  }
  const waiting = async (): Promise<number> =>
    Math.max(...(await clusters()).map(({ queue }) => queue.waiting));

  test("after some traffic every pool knows this isolate, and finds its replicas well", async () => {
    await expect
      .poll(async () => {
        await (await ask(1, crypto.randomUUID())).text();
        return (await clusters()).every(
          ({ pool, isolates, replicas }) =>
            pool === "on" && isolates > 0 && replicas.every(({ healthy }) => healthy === true),
        );
      })
      .toBe(true);
  });

  test("thirty at once on eight places: all are answered, no engine gets more than it runs, and nothing is left", async () => {
    const ids = Array.from({ length: 30 }, () => crypto.randomUUID());
    const answers = await Promise.all(ids.map((id) => ask(30, id)));
    expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 200));
    await Promise.all(answers.map((answer) => answer.text()));
    const records = ids.flatMap((id) => world.received(id));
    expect(records).toHaveLength(30);
    await expect
      .poll(async () => (await clusters()).map(({ leases, queue }) => leases + queue.waiting))
      .toEqual([0, 0]);
  });

  test("a client that resets while it waits is gone from the queue, and no engine ever hears of it", async () => {
    for (const replica of world.fleet.replicas) replica.setSpeed({ tokenMs: 500 });
    // More than all places, so that there is a queue whatever this isolate and the pool believe at this moment. None of them ends
    // by itself before this is over, and none is told that it waited too long: that is ten seconds. Streams, whose engines heed
    // another speed at their next token.
    const busy = Promise.allSettled(
      Array.from({ length: 3 * 4 * slots }, async () => (await ask(40, crypto.randomUUID(), true)).text()),
    );
    // Polls of the engines put right what was believed in the first second: some of those that wait may still go.
    const seen: number[] = [];
    await expect
      .poll(
        async () => {
          seen.push(await waiting());
          const lately = seen.slice(-6);
          return lately.length === 6 && lately.every((count) => count > 0 && count === lately[0]);
        },
        { interval: 250 },
      )
      .toBe(true);
    const settled = seen.at(-1) ?? 0;
    const requestId = crypto.randomUUID();
    const client = world.vanishing(
      token,
      { model: "auto", max_tokens: 5, messages: [{ role: "user", content: "soon gone" }] },
      requestId,
    );
    await expect.poll(waiting).toBeGreaterThan(settled);
    client.vanish();
    await expect.poll(waiting).toBeLessThanOrEqual(settled);
    for (const replica of world.fleet.replicas) replica.setSpeed({ tokenMs: 5 });
    expect((await busy).filter(({ status }) => status === "rejected")).toEqual([]);
    await expect
      .poll(async () => (await clusters()).map(({ leases, queue }) => leases + queue.waiting))
      .toEqual([0, 0]);
    expect(world.received(requestId)).toEqual([]);
  });

  test("a drained replica gets nothing more, and is asked again when it is enabled", async () => {
    const change = async (action: string): Promise<void> => {
      for (const replica of ["us-east-1", "eu-west-1", "eu-west-2"]) {
        const response = await fetch(`${world.url}/admin/fleet`, {
          method: "POST",
          headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" },
          body: JSON.stringify({ action, cluster: replica.slice(0, 7), replica }),
        });
        expect(response.status).toBe(200);
      }
    };
    const served = async (): Promise<ReadonlySet<string>> => {
      const ids: string[] = Array.from({ length: 12 }, () => crypto.randomUUID());
      for (const id of ids) await (await ask(1, id)).text();
      return new Set(
        world.fleet.replicas
          .filter((replica) =>
            replica.requests().some(({ headers }) => ids.some((id) => isOf(headers["x-request-id"], id))),
          )
          .map(({ id }) => id),
      );
    };
    await change("drain");
    await expect.poll(served).toEqual(new Set(["us-east-2"]));
    await change("enable");
    await expect.poll(async () => (await served()).size).toBeGreaterThan(1);
  });
});
