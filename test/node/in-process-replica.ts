/**
 * The dev fleet's own server code as a transport, without sockets: its faults, its pacing and its bytes, under a fake clock.
 * What a socket would do is done here: chunks in order, a cut that delivers what was written, a reset that does not.
 */
import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { Replica } from "../../dev/origin/server/replica.ts";

/** Answers one request of `fetch`'s form. Rejects where a connection would break before the headers. */
export function askInProcess(replica: Replica, url: string, init: RequestInit): Promise<Response> {
  const { pathname, search } = new URL(url);
  const request = Object.assign(
    Readable.from([Buffer.from(typeof init.body === "string" ? init.body : "")]),
    {
      url: pathname + search,
      method: init.method ?? "GET",
      headers: { ...(init.headers as Record<string, string>) },
    },
  );
  const response = new InProcessResponse(init.signal ?? null);
  const socket = {
    resetAndDestroy: () => response.breakOff(true),
    destroySoon: () => response.breakOff(false),
  };
  replica.server.emit(
    "request",
    Object.assign(request, { socket }) as unknown as IncomingMessage,
    response as unknown as ServerResponse,
  );
  return response.answer;
}

class InProcessResponse extends EventEmitter {
  readonly answer: Promise<Response>;
  headersSent = false;
  writableFinished = false;
  readonly #head: PromiseWithResolvers<Response>;
  readonly #body: ReadableStream<Uint8Array>;
  readonly #signal: AbortSignal | null;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #closed = false;

  constructor(signal: AbortSignal | null) {
    super();
    this.#head = Promise.withResolvers();
    this.answer = this.#head.promise;
    this.#signal = signal;
    this.#body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => this.#close(),
    });
    signal?.addEventListener("abort", this.#abort, { once: true });
    if (signal?.aborted === true) queueMicrotask(this.#abort);
  }

  writeHead(status: number, headers: Record<string, string | number>): void {
    this.headersSent = true;
    const given = new Headers(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    this.#head.resolve(new Response(this.#body, { status, headers: given }));
  }

  flushHeaders(): void {
    // They are with the client as soon as they are written.
  }

  write(data: string | Uint8Array): boolean {
    if (!this.#closed) this.#controller?.enqueue(typeof data === "string" ? Buffer.from(data) : data);
    return true;
  }

  end(data?: string): void {
    if (data !== undefined) this.write(data);
    if (this.#closed) return;
    this.writableFinished = true;
    this.#controller?.close();
    this.#close();
  }

  /** `reset`: what is under way is lost with it. */
  breakOff(reset: boolean): void {
    if (this.#closed) return;
    const broken = new TypeError("terminated");
    if (!this.headersSent) this.#head.reject(broken);
    if (reset) this.#controller?.error(broken);
    else this.#errorOnceRead(broken);
    this.#close();
  }

  /** A stream's error would drop what is queued: it waits until that is read. */
  #errorOnceRead(broken: Error): void {
    const again = (): void => {
      if ((this.#controller?.desiredSize ?? 0) >= 1) this.#controller?.error(broken);
      else setTimeout(again, 1);
    };
    again();
  }

  readonly #abort = (): void => {
    if (this.#closed) return;
    const gone = new DOMException("aborted", "AbortError");
    this.#head.reject(gone);
    this.#controller?.error(gone);
    this.#close();
  };

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal?.removeEventListener("abort", this.#abort);
    this.emit("close");
  }
}
