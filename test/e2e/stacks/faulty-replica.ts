/** A replica on a real socket that fails in a chosen phase. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Phase =
  | "well"
  | "reset-on-request"
  | "500"
  | "reset-after-headers"
  | "error-event"
  | "silent"
  | "silent-after-headers"
  | "endless";

export const text = ['data: {"id":"1"}\n\n', 'data: {"id":"2"}\n\n', "data: [DONE]\n\n"];

export interface FaultyReplica {
  readonly url: string;
  phase: Phase;
  /** Generations asked for. */
  readonly received: number;
  /** Connections that the other side closed while an answer was due. */
  readonly aborted: number;
  /** Resolves when `condition` holds; looks at every request and every end of one. */
  until(condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

export async function startReplica(): Promise<FaultyReplica> {
  const waiting = new Set<() => void>();
  let received = 0;
  let aborted = 0;
  const changed = (): void => waiting.forEach((look) => look());
  const server = createServer((request, response) => {
    if (request.method === "GET") {
      response.end();
      return;
    }
    received += 1;
    request.resume();
    response.on("close", () => {
      if (!response.writableFinished && request.socket.destroyed) aborted += 1;
      changed();
    });
    request.on("end", () => {
      answer(replica.phase, request, response);
      changed();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const replica: FaultyReplica = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    phase: "well",
    get received() {
      return received;
    },
    get aborted() {
      return aborted;
    },
    until: (condition) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!condition()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return replica;
}

function answer(phase: Phase, request: IncomingMessage, response: ServerResponse): void {
  if (phase === "silent") return;
  if (phase === "reset-on-request") {
    request.socket.resetAndDestroy();
    return;
  }
  response.writeHead(phase === "500" ? 500 : 200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  if (phase === "silent-after-headers") return;
  if (phase === "reset-after-headers") {
    // Only once the headers are on their way: a reset drops what was not sent yet.
    setImmediate(() => request.socket.resetAndDestroy());
    return;
  }
  if (phase === "500" || phase === "error-event") {
    response.end('data: {"error": {"message": "dead engine", "code": 500}}\n\n');
    return;
  }
  response.write(text[0]);
  if (phase === "well") response.end(text.slice(1).join(""));
  if (phase !== "endless") return;
  const tokens = setInterval(() => response.write(text[1]), 5);
  response.on("close", () => clearInterval(tokens));
}
