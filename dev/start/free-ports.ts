/**
 * Which ports can be listened on? For tests, which name a port before anything listens on it. They lie below the range that the
 * system hands out by itself (32768 on, on Linux): a port of that range that was free a moment ago may by now belong to any
 * socket that asked for none in particular, and a test starts hundreds of those. Two runs of tests beside each other could both name
 * one that neither listens on yet: dev/test.ts gives each a range of its own, EDGEWISE_TEST_PORTS=20000-23999. For the same reason a
 * process names no port twice.
 */
import { createServer } from "node:net";

const [first = 20_000, last = 31_999] = (process.env["EDGEWISE_TEST_PORTS"] ?? "20000-31999")
  .split("-")
  .map(Number);

/** Whoever was given one may be seconds from listening on it. */
const given = new Set<number>();

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** Returns this many consecutive ports. */
export async function freePorts(count: number): Promise<number[]> {
  for (let tries = 0; tries < 100; tries += 1) {
    const lowest = first + Math.floor(Math.random() * (last - first - count + 2));
    const ports = Array.from({ length: count }, (_, index) => lowest + index);
    if (ports.some((port) => given.has(port))) continue;
    // Before anything is waited for: whoever asks meanwhile gets others.
    for (const port of ports) given.add(port);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return ports;
  }
  throw new Error(`no ${count} neighbouring free ports`);
}

export async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
