/**
 * The load generator: raw sockets, keep-alive, no HTTP library, in a process of its own, so that it costs less than what
 * it measures. Takes one `LoadOrder` a message from its parent and answers with one `LoadReport`.
 *
 * It knows just enough HTTP/1.1: a status line, `content-length` or chunked bodies of which it finds the end.
 */
import { connect, type Socket } from "node:net";
import { processMicroseconds } from "./clock.ts";

export interface LoadOrder {
  readonly ports: readonly number[];
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Bodies, taken in turn. */
  readonly bodies: readonly string[];
  readonly connections: number;
  /** Requests a connection sends one after another; they end early at `durationMs`. */
  readonly requestsPerConnection: number;
  readonly durationMs: number;
  /** Milliseconds over which the first requests of the connections are spread. */
  readonly spreadMs: number;
}

export interface LoadReport {
  readonly requests: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly elapsedMs: number;
  readonly latencyMs: readonly number[];
  readonly firstTokenMs: readonly number[];
  readonly chunkDelayMs: readonly number[];
  /** Tokens that arrived, by the origin's stamps. */
  readonly tokens: number;
  /** Tokens by the last usage that was seen in each answer, added up; prompt and answer together. */
  readonly usageTokens: number;
}

const endOfHead = Buffer.from("\r\n\r\n");
const lastChunk = Buffer.from("0\r\n\r\n");
const at = "@".charCodeAt(0);
const semicolon = ";".charCodeAt(0);
/** Bytes of `"total_tokens":` with a count, or of a stamp. */
const longestMark = 28;

class Connection {
  readonly #order: LoadOrder;
  readonly #samples: Samples;
  readonly #done: () => void;
  readonly #port: number;
  #left: number;
  #socket: Socket | undefined;
  #startedUs = 0;
  #head: Buffer | undefined;
  #bodyLeft = -1;
  #tail: Buffer = Buffer.alloc(0);
  #rest: Buffer = Buffer.alloc(0);
  #sawToken = false;
  #usageTokens = 0;

  constructor(order: LoadOrder, port: number, samples: Samples, done: () => void) {
    this.#order = order;
    this.#port = port;
    this.#samples = samples;
    this.#done = done;
    this.#left = order.requestsPerConnection;
  }

  start(): void {
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    this.#socket = socket;
    socket.on("connect", () => this.#send());
    socket.on("data", (data) => this.#receive(data));
    socket.on("error", (error) => this.#fail(error.message));
    socket.on("close", () => {
      if (this.#socket !== undefined) this.#fail("closed");
    });
  }

  #fail(reason: string): void {
    this.#samples.fail(reason);
    this.#finish();
  }

  #finish(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
    this.#done();
  }

  #send(): void {
    if (this.#left === 0 || this.#samples.over()) {
      this.#finish();
      return;
    }
    this.#left--;
    this.#head = undefined;
    this.#bodyLeft = -1;
    this.#tail = Buffer.alloc(0);
    this.#rest = Buffer.alloc(0);
    this.#sawToken = false;
    this.#usageTokens = 0;
    this.#startedUs = processMicroseconds();
    this.#socket?.write(this.#samples.nextRequest(this.#order));
  }

  #receive(data: Buffer): void {
    const nowUs = processMicroseconds();
    let body = data;
    if (this.#bodyLeft === -1) {
      const all = this.#head === undefined ? data : Buffer.concat([this.#head, data]);
      const end = all.indexOf(endOfHead);
      if (end === -1) {
        this.#head = all;
        return;
      }
      const head = all.toString("latin1", 0, end).toLowerCase();
      const status = head.slice(9, 12);
      const length = /content-length: (\d+)/.exec(head)?.[1];
      this.#bodyLeft = length === undefined ? Infinity : Number(length);
      body = all.subarray(end + 4);
      if (status !== "200") {
        this.#fail(`${status} ${body.toString("utf8").slice(0, 200)}`);
        return;
      }
    }
    this.#scan(body, nowUs);
    const ended =
      this.#bodyLeft === Infinity ? this.#endsChunked(body) : (this.#bodyLeft -= body.length) <= 0;
    if (!ended) return;
    this.#samples.requests++;
    this.#samples.usageTokens += this.#usageTokens;
    this.#samples.latencyMs.push((nowUs - this.#startedUs) / 1000);
    this.#send();
  }

  #endsChunked(body: Buffer): boolean {
    this.#tail = body.length >= 5 ? body.subarray(-5) : Buffer.concat([this.#tail, body]).subarray(-5);
    return this.#tail.equals(lastChunk);
  }

  #scan(fresh: Buffer, nowUs: number): void {
    // A stamp or a count may be cut by the end of a read: the last bytes are looked at again with the next ones.
    const body = this.#rest.length === 0 ? fresh : Buffer.concat([this.#rest, fresh]);
    let done = 0;
    for (let from = body.indexOf(at); from !== -1; from = body.indexOf(at, from + 1)) {
      const end = body.indexOf(semicolon, from);
      if (end === -1) break;
      done = end;
      const stampUs = Number(body.toString("latin1", from + 1, end));
      this.#samples.tokens++;
      this.#samples.chunkDelayMs.push((nowUs - stampUs) / 1000);
      if (this.#sawToken) continue;
      this.#sawToken = true;
      this.#samples.firstTokenMs.push((nowUs - this.#startedUs) / 1000);
    }
    const total = body.lastIndexOf('"total_tokens":');
    if (total !== -1) {
      const tokens = Number.parseInt(body.toString("latin1", total + 15, total + 25), 10);
      if (!Number.isNaN(tokens)) this.#usageTokens = tokens;
    }
    this.#rest = body.subarray(Math.max(done, body.length - longestMark));
  }
}

class Samples {
  requests = 0;
  tokens = 0;
  usageTokens = 0;
  readonly latencyMs: number[] = [];
  readonly firstTokenMs: number[] = [];
  readonly chunkDelayMs: number[] = [];
  readonly failures: Record<string, number> = {};
  #turn = 0;
  readonly #requests: Buffer[];
  readonly #endsAtUs: number;

  constructor(order: LoadOrder) {
    const headers = Object.entries({ "content-type": "application/json", ...order.headers })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("");
    this.#requests = order.bodies.map((body) =>
      Buffer.from(
        `POST ${order.path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      ),
    );
    this.#endsAtUs = processMicroseconds() + order.durationMs * 1000;
  }

  nextRequest(order: LoadOrder): Buffer {
    const request = this.#requests[this.#turn++ % order.bodies.length];
    if (request === undefined) throw new Error("an order needs a body");
    return request;
  }

  over(): boolean {
    return processMicroseconds() > this.#endsAtUs;
  }

  fail(reason: string): void {
    this.failures[reason] = (this.failures[reason] ?? 0) + 1;
  }
}

async function run(order: LoadOrder): Promise<LoadReport> {
  const samples = new Samples(order);
  const startedUs = processMicroseconds();
  await Promise.all(
    Array.from({ length: order.connections }, (_, index) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const port = order.ports[index % order.ports.length];
      if (port === undefined) throw new Error("an order needs a port");
      const connection = new Connection(order, port, samples, resolve);
      setTimeout(() => connection.start(), (order.spreadMs * index) / order.connections);
      return promise;
    }),
  );
  return {
    requests: samples.requests,
    failures: samples.failures,
    elapsedMs: (processMicroseconds() - startedUs) / 1000,
    latencyMs: samples.latencyMs,
    firstTokenMs: samples.firstTokenMs,
    chunkDelayMs: samples.chunkDelayMs,
    tokens: samples.tokens,
    usageTokens: samples.usageTokens,
  };
}

process.on("message", (order: LoadOrder) => {
  void run(order).then((report) => process.send?.(report));
});
