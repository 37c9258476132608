/**
 * Which ports can be listened on? For tests, which name a port before anything listens on it. They lie below the range that the
 * system hands out by itself (32768 on, on Linux): a port of that range that was free a moment ago may by now belong to any
 * socket that asked for none in particular, and a test starts hundreds of those.
 */
import { createServer } from "node:net";

const first = 20_000;
const last = 32_000;

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** So many neighbours. */
export async function freePorts(count: number): Promise<number[]> {
  for (let tries = 0; tries < 100; tries += 1) {
    const lowest = first + Math.floor(Math.random() * (last - first - count));
    const ports = Array.from({ length: count }, (_, index) => lowest + index);
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
