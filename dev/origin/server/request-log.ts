import type { IncomingHttpHeaders } from "node:http";

/** The requests that this replica received, and their outcomes. `GET /_dev/requests` shows them, so that tests can check what reached a model. */
export type RequestState = "running" | "completed" | "aborted" | "refused" | "faulted";

export interface RequestRecord {
  readonly number: number;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON, or the text if it is not JSON; null before it is read. */
  body: unknown;
  state: RequestState;
  status: number | null;
  readonly started_ms: number;
  first_token_ms: number | null;
  ended_ms: number | null;
  model: string | null;
  /** The rendered prompt. */
  prompt: string | null;
  prompt_tokens: number;
  cached_tokens: number;
  /** Control tokens that the tokenizer found, by name. */
  special_tokens: Readonly<Record<string, number>>;
  /** URLs of media parts; never fetched. */
  media_urls: readonly string[];
  /** Tokens made (of each choice) until it ended or was aborted. */
  generated_tokens: number;
  fault: string | null;
}

const capacity = 1000;

export class RequestLog {
  #records: RequestRecord[] = [];
  #number = 0;

  open(method: string, path: string, headers: IncomingHttpHeaders): RequestRecord {
    const record: RequestRecord = {
      number: ++this.#number,
      method,
      path,
      headers,
      body: null,
      state: "running",
      status: null,
      started_ms: Date.now(),
      first_token_ms: null,
      ended_ms: null,
      model: null,
      prompt: null,
      prompt_tokens: 0,
      cached_tokens: 0,
      special_tokens: {},
      media_urls: [],
      generated_tokens: 0,
      fault: null,
    };
    this.#records.push(record);
    if (this.#records.length > capacity) this.#records.shift();
    return record;
  }

  /** Oldest first. */
  list(): readonly RequestRecord[] {
    return this.#records;
  }

  clear(): void {
    this.#records = [];
  }
}
