/** A client on a bare socket that asks for a chat and can vanish by a reset, which no HTTP library does. */
import { connect, type Socket } from "node:net";

export interface VanishingClient {
  readonly socket: Socket;
  /** What came so far. */
  text(): string;
  /** Resolves once the answer holds this. */
  sees(part: string): Promise<void>;
  vanish(): void;
}

/** @param headers beside the usual ones, their names in lower case */
export function vanishingClient(
  port: number,
  token: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): VanishingClient {
  const socket = connect(port, "127.0.0.1");
  let seen = "";
  const waiting = new Set<() => void>();
  socket.on("error", () => undefined);
  socket.on("data", (data: Buffer) => {
    seen += data.toString();
    for (const look of waiting) look();
  });
  const lines = Object.entries({
    host: "127.0.0.1",
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
  return {
    socket,
    text: () => seen,
    sees: (part) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!seen.includes(part)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    vanish: () => socket.resetAndDestroy(),
  };
}
