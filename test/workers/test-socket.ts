/** A client's side of a socket in tests inside workerd: what came, in order, and how it was closed. */
import { send } from "./edge-under-test.ts";

export interface SocketEvent {
  readonly type: string;
  readonly sequence_number?: number;
  readonly delta?: string;
  readonly stream_id?: string;
  readonly status?: number;
  readonly error?: { readonly code: string; readonly param: string | null };
  readonly response?: { readonly id: string; readonly status: string };
}

export class TestSocket {
  /** As they came. */
  readonly texts: string[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;
  readonly #socket: WebSocket;
  readonly #waiting = new Set<() => void>();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      this.texts.push(String(data));
      this.#wake();
    });
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
      this.#wake();
    });
    socket.accept();
  }

  get events(): SocketEvent[] {
    return this.texts.filter((text) => text.startsWith("{")).map((text) => JSON.parse(text) as SocketEvent);
  }

  say(message: object | string): void {
    this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  leave(): void {
    this.#socket.close(1000, "");
  }

  /** Resolves when it holds, after a message or the close. The test's own time limit ends what never comes. */
  async until(holds: (socket: this) => boolean): Promise<void> {
    while (!holds(this)) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  untilClosed(): Promise<void> {
    return this.until((socket) => socket.closed !== null);
  }

  /** Until so many events of this type came. */
  untilEvents(type: string, count = 1): Promise<void> {
    return this.until((socket) => socket.events.filter((event) => event.type === type).length >= count);
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}

export async function upgrade(headers: Record<string, string>): Promise<Response> {
  return send("/v1/responses", { headers: { upgrade: "websocket", ...headers } });
}

export async function openSocket(authorization: string): Promise<TestSocket> {
  const { webSocket } = await upgrade({ authorization });
  if (webSocket === null) throw new Error("no socket");
  return new TestSocket(webSocket);
}
