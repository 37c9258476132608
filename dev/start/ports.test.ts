import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { afterEach, expect, test, vi } from "vitest";
import { freePort, freePorts } from "./free-ports.ts";
import { startFleet } from "../origin/fleet.ts";
import { readOptions } from "../origin/options.ts";
import { demandFreePorts, portFrom } from "./ports.ts";
import { startDevFleet } from "./start-dev-fleet.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Takes this port while `use` runs; 0: any. */
async function withTaken<T>(wanted: number, use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer().listen(wanted, "127.0.0.1");
  await once(server, "listening");
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

test("a taken port is said with a command that names another, as it was typed", async () => {
  await withTaken(0, async (port) => {
    await expect(demandFreePorts([{ port, variable: "PORT" }], "npm run serve")).rejects.toThrow(
      new RegExp(`^Port ${port} is taken\\. .*: PORT=(${port + 100}|${port - 100}) npm run serve$`),
    );
  });
});

test("what stands in the highest ports is offered a port that there is", async () => {
  const [port = 0] = await highPorts(1);
  await withTaken(port, async () => {
    await expect(demandFreePorts([{ port, variable: "PORT" }], "npm start")).rejects.toThrow(
      `PORT=${port - 100} npm start`,
    );
  });
});

/** Free ones above 65435, whose hundredth neighbour is none. */
async function highPorts(count: number): Promise<number[]> {
  const found: number[] = [];
  for (let port = 65_535; found.length < count && port > 65_435; port -= 1)
    await demandFreePorts([{ port, variable: "" }], "").then(
      () => found.push(port),
      () => undefined,
    );
  return found;
}

test.each(["eighty", "0", "65536", "1e3", "0x50", "-1", "80.5", " "])("PORT=%s is no port", (text) => {
  vi.stubEnv("PORT", text);
  expect(() => portFrom("PORT", 8787)).toThrow(`PORT=${text} is not a port`);
});

test("the dev fleet asks for as many ports as it has replicas, and for none where the system chooses", async () => {
  const [first = 0, second = 0] = await freePorts(2);
  vi.stubEnv("DEV_FLEET_PORT", String(first));
  await withTaken(second, async () => {
    await expect(startDevFleet(1, "npm start")).rejects.toThrow(`Port ${second} is taken`);
    vi.stubEnv("DEV_FLEET_REPLICAS", "1");
    const one = await startDevFleet(1, "npm start");
    expect(one.replicas.map(({ url }) => url)).toEqual([`http://127.0.0.1:${first}`]);
    await one.stop();
  });
  vi.stubEnv("DEV_FLEET_PORT", "0");
  // It does not use port 1.
  const chosen = await withTaken(0, async () => startDevFleet(1, "npm start"));
  expect(chosen.replicas).toHaveLength(1);
  await chosen.stop();
});

test("the edge's own port among the dev fleet's is said, and not found when wrangler can't listen", async () => {
  const port = await freePort();
  vi.stubEnv("DEV_FLEET_PORT", String(port - 1));
  await expect(startDevFleet(port, "npm start")).rejects.toThrow(
    `PORT=${port} is one of the dev fleet's ports, ${port - 1} to ${port + 2}`,
  );
});

test("replicas beyond the last port are refused before any starts", async () => {
  expect(readOptions(["--port", "65533", "--replicas", "4"], {})).toEqual({
    ok: false,
    error: "--port (DEV_FLEET_PORT) 65533 leaves no room for 4 replicas below 65535.",
  });
  expect(readOptions(["--port", "65532", "--replicas", "4"], {})).toMatchObject({ ok: true });
  await expect(startFleet({ basePort: 65_535, replicas: 2, quiet: true })).rejects.toThrow();
});

test("no free port is named twice, alone or among neighbours, though nothing listens on any yet", async () => {
  vi.stubEnv("EDGEWISE_TEST_PORTS", "31600-31999");
  vi.resetModules();
  const { freePort: one, freePorts: some } = await import("./free-ports.ts");
  const named = await Promise.all(Array.from({ length: 60 }, (_, at) => (at % 2 === 0 ? some(3) : one())));
  expect(new Set(named.flat()).size).toBe(120);
});
