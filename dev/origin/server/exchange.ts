import type { IncomingMessage, ServerResponse } from "node:http";
import { refusalBody, type EngineRefusal } from "../engine/refusal.ts";
import type { Fault } from "./faults.ts";
import type { RequestRecord, RequestState } from "./request-log.ts";

/**
 * One request and its answer on the wire: its bytes, whether the client is still connected, and its final state in the log.
 * Faults that concern bytes (cut, drip) are applied here.
 */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly record: RequestRecord | undefined;
  readonly fault: Fault | undefined;
  /** Called once when the client goes before the answer is complete. */
  onGone: (() => void) | undefined;
  #gone = false;
  #drip: Drip | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    record: RequestRecord | undefined,
    fault: Fault | undefined,
  ) {
    this.request = request;
    this.response = response;
    this.path = path;
    this.record = record;
    this.fault = fault;
    if (record !== undefined) record.fault = fault?.fault ?? null;
    response.on("close", () => {
      if (response.writableFinished) {
        this.settle("completed");
        return;
      }
      this.#gone = true;
      this.#drip?.stop();
      this.settle("aborted");
      this.onGone?.();
    });
  }

  get gone(): boolean {
    return this.#gone;
  }

  sendJson(status: number, body: string, headers: Readonly<Record<string, string>> = {}): void {
    if (this.#gone) return;
    this.#status(status);
    const length = Buffer.byteLength(body);
    this.response.writeHead(status, {
      "content-type": "application/json",
      "content-length": length,
      ...headers,
    });
    if (status >= 400) this.settle("refused");
    this.complete(body);
  }

  refuse(refusal: EngineRefusal): void {
    this.sendJson(refusal.status, refusalBody(refusal));
  }

  /** vLLM sends the headers of a stream before the first token, while the request may still wait for a slot. */
  startStream(flush: boolean): void {
    this.#status(200);
    this.response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    if (flush) this.response.flushHeaders();
  }

  write(text: string): void {
    if (this.#gone) return;
    if (this.fault?.fault !== "drip") {
      this.response.write(text);
      return;
    }
    this.#drip ??= new Drip(this.response, this.fault.bytes, this.fault.interval_ms);
    this.#drip.push(text);
  }

  /** Sends the answer's last bytes. With a drip fault it is complete only when the last of them is sent. */
  complete(text: string): void {
    if (this.fault?.fault !== "drip") this.settle("completed");
    this.end(text);
  }

  end(text = ""): void {
    if (this.#gone) return;
    if (this.fault?.fault !== "drip") {
      if (text === "") this.response.end();
      else this.response.end(text);
      return;
    }
    this.#drip ??= new Drip(this.response, this.fault.bytes, this.fault.interval_ms);
    this.#drip.push(text);
    this.#drip.finish();
  }

  /** Ends the connection, not the answer. Without `reset` written bytes are delivered first. */
  cut(reset: boolean): void {
    this.settle("faulted");
    // Not the response's own end: that would write the closing chunk, and the answer would look complete.
    if (reset) this.request.socket.resetAndDestroy();
    else this.request.socket.destroySoon();
  }

  /** Sets the state in the log; the first call counts. */
  settle(state: Exclude<RequestState, "running">): void {
    if (this.record === undefined || this.record.state !== "running") return;
    this.record.state = state;
    this.record.ended_ms = Date.now();
  }

  #status(status: number): void {
    if (this.record !== undefined) this.record.status = status;
  }
}

class Drip {
  readonly #response: ServerResponse;
  readonly #bytes: number;
  readonly #timer: NodeJS.Timeout;
  #waiting = Buffer.alloc(0);
  #finished = false;

  constructor(response: ServerResponse, bytes: number, intervalMs: number) {
    this.#response = response;
    this.#bytes = bytes;
    this.#timer = setInterval(() => this.#next(), intervalMs);
  }

  push(text: string): void {
    this.#waiting = Buffer.concat([this.#waiting, Buffer.from(text)]);
  }

  finish(): void {
    this.#finished = true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #next(): void {
    if (this.#waiting.length > 0) {
      this.#response.write(this.#waiting.subarray(0, this.#bytes));
      this.#waiting = this.#waiting.subarray(this.#bytes);
    } else if (this.#finished) {
      this.stop();
      this.#response.end();
    }
  }
}
