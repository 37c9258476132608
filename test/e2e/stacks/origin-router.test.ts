import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startReplica, text, type FaultyReplica, type Phase } from "./faulty-replica.ts";
import { bundle, startWorkerd, type RunningWorkerd } from "./plain-workerd.ts";

let edgeScript = "";
let routerScript = "";

beforeAll(async () => {
  [edgeScript, routerScript] = await Promise.all([
    bundle("test/workers/dispatching-edge.toml"),
    bundle("workers/origin-router/wrangler.toml"),
  ]);
});

describe.each(["in-process", "service"] as const)("the origin router on plain workerd, %s", (mount) => {
  const replicas: FaultyReplica[] = [];
  let workerd: RunningWorkerd;

  beforeAll(async () => {
    replicas.push(await startReplica(), await startReplica());
    const fleet = JSON.stringify({
      version: "1",
      clusters: replicas.map((replica, at) => ({
        id: `c${at}`,
        region: "here",
        replicas: [{ id: "r", url: replica.url }],
        models: [{ id: "m", served_name: "M", context_window: 4096 }],
      })),
    });
    workerd = await startWorkerd([
      {
        name: "edge",
        script: edgeScript,
        texts: { ROUTER: mount, FLEET: fleet },
        services: { ORIGIN_ROUTER: "router" },
      },
      { name: "router", script: routerScript, texts: { ENVIRONMENT: "production", FLEET: fleet } },
    ]);
  });

  afterAll(async () => {
    await workerd.stop();
    for (const replica of replicas) await replica.close();
  });

  const [one, two] = [(): FaultyReplica => replicaAt(0), (): FaultyReplica => replicaAt(1)];
  function replicaAt(at: number): FaultyReplica {
    const replica = replicas[at];
    if (replica === undefined) throw new Error("no such replica");
    return replica;
  }
  const both = (phase: Phase): void => {
    one().phase = phase;
    two().phase = phase;
  };
  const total = (count: (replica: FaultyReplica) => number): number => count(one()) + count(two());
  const ask = (): Promise<Response> =>
    fetch(`http://127.0.0.1:${workerd.port}/`, { method: "POST", body: "{}" });
  const inFlight = async (): Promise<number> => {
    const response = await fetch(`http://127.0.0.1:${workerd.port}/state`);
    return ((await response.json()) as { inFlight: number }).inFlight;
  };

  test.each(["reset-on-request", "500", "reset-after-headers", "error-event"] as const)(
    "a replica that fails by %s is never seen by a client",
    async (phase) => {
      both("well");
      two().phase = phase;
      const answers = await Promise.all(Array.from({ length: 24 }, async () => (await ask()).text()));
      expect(new Set(answers)).toEqual(new Set([text.join("")]));
    },
  );

  test("a reset before any byte of the answer aborts the engine", async () => {
    for (const phase of ["silent", "silent-after-headers"] as const) {
      both(phase);
      const abortedBefore = total((replica) => replica.aborted);
      const receivedBefore = total((replica) => replica.received);
      const socket = request(workerd.port);
      await Promise.race(
        replicas.map((replica) => replica.until(() => total((each) => each.received) > receivedBefore)),
      );
      socket.resetAndDestroy();
      await Promise.race(
        replicas.map((replica) => replica.until(() => total((each) => each.aborted) > abortedBefore)),
      );
    }
  });

  test("a reset between two tokens aborts the engine", async () => {
    // workerd notices a client that left in mid-stream by the next write only: a silent engine is ended by keep-alives.
    both("endless");
    const abortedBefore = total((replica) => replica.aborted);
    const socket = request(workerd.port);
    await new Promise<void>((resolve) => {
      let seen = "";
      socket.on("data", (data: Buffer) => {
        seen += data.toString();
        if (seen.includes('{"id":"1"}')) resolve();
      });
    });
    socket.resetAndDestroy();
    await Promise.race(
      replicas.map((replica) => replica.until(() => total((each) => each.aborted) > abortedBefore)),
    );
  });

  test("nothing is left in flight after all that", async () => {
    both("well");
    expect(await (await ask()).text()).toBe(text.join(""));
    while ((await inFlight()) > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});

/** A client that has sent its request and can vanish. */
function request(port: number): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write("POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n\r\n{}");
  return socket;
}
