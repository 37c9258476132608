/** For tests: a fake API behind `fetch` with one conversation: its turns, their streams, its watch, and network failures. */

interface FakeTurn {
  readonly id: string;
  readonly text: string;
  said: string;
  ended: boolean;
}

interface FakeItem {
  readonly id: string;
  readonly role: "user" | "assistant";
  readonly text: string;
  readonly status: "completed" | "incomplete";
}

type Reader = ReadableStreamDefaultController<Uint8Array>;

/** The fate of the next question: answered; refused; or accepted, with the connection lost before any answer. */
export type Fate = "answered" | "refused" | "lost";

const encoder = new TextEncoder();

export class FakeChatServer {
  readonly items: FakeItem[] = [];
  fate: Fate = "answered";
  isOnline = true;
  /** Delay of an answer that is not a stream, in milliseconds. It shows the state at the time of the request. */
  delayMs = 0;
  #running: FakeTurn | null = null;
  #count = 0;
  readonly #byKey = new Map<string, FakeTurn>();
  /** Readers of streams; `null`: a watch. */
  readonly #readers = new Map<Reader, FakeTurn | null>();

  /** A question from another device. */
  askElsewhere(text: string): void {
    if (this.#running === null) this.#begin(text);
  }

  say(word: string): void {
    if (this.#running === null) return;
    this.#running.said += word;
    this.#tell(chunk({ delta: { content: word } }), this.#running);
  }

  end(status: FakeItem["status"] = "completed"): void {
    const turn = this.#running;
    if (turn === null) return;
    this.#running = null;
    turn.ended = true;
    this.items.push({ id: `${turn.id}-q`, role: "user", text: turn.text, status: "completed" });
    if (turn.said !== "") this.items.push({ id: `${turn.id}-a`, role: "assistant", text: turn.said, status });
    for (const [reader, of] of this.#readers) {
      if (of === null) reader.enqueue(encoder.encode(ended(turn)));
      else if (of === turn) this.#finish(reader);
    }
  }

  /** Breaks off every stream. */
  cut(): void {
    for (const reader of this.#readers.keys()) reader.error(new TypeError("network error"));
    this.#readers.clear();
  }

  readonly fetch = async (path: string, init: RequestInit): Promise<Response> => {
    init.signal?.throwIfAborted();
    if (!this.isOnline) throw new TypeError("Failed to fetch");
    if (path.endsWith("/v1/chat/completions")) return this.#asked(init);
    if (path.endsWith("/watch")) return this.#watched(init);
    if (path.endsWith("/cancel")) {
      if (path.includes(`/${this.#running?.id}/`)) this.end("incomplete");
      return Response.json({});
    }
    const answer = this.#read(path);
    await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    init.signal?.throwIfAborted();
    if (!this.isOnline) throw new TypeError("Failed to fetch");
    return answer;
  };

  #read(path: string): Response {
    if (this.items.length === 0) return missing();
    if (path.endsWith("/branches")) {
      const last = this.items.at(-1)?.id;
      return Response.json({
        data: [{ id: "main", parent_branch: null, parent_item_id: null, last_item_id: last, active: true }],
      });
    }
    const { searchParams } = new URL(path, "http://page");
    const before = searchParams.get("after");
    const upTo = before === null ? this.items.length : this.items.findIndex(({ id }) => id === before);
    const from = Math.max(0, upTo - Number(searchParams.get("limit")));
    const data = this.items.slice(from, upTo).map(({ text, ...item }) => ({ ...item, content: [{ text }] }));
    return Response.json({ data: data.reverse(), has_more: from > 0 });
  }

  #asked(init: RequestInit): Response {
    const key = new Headers(init.headers).get("idempotency-key") ?? "";
    const body = JSON.parse(init.body as string) as { messages: [{ content: string }] };
    const { fate } = this;
    this.fate = "answered";
    const known = this.#byKey.get(key);
    if (known === undefined && (fate === "refused" || this.#running !== null))
      return Response.json({ error: { message: "Not now.", code: null } }, { status: 503 });
    const turn = known ?? this.#begin(body.messages[0].content);
    this.#byKey.set(key, turn);
    if (fate === "lost") throw new TypeError("Failed to fetch");
    return this.#stream(init, turn, { "x-edgewise-response-id": turn.id }, (reader) => {
      if (turn.said !== "") reader.enqueue(encoder.encode(chunk({ delta: { content: turn.said } })));
      if (turn.ended) this.#finish(reader);
    });
  }

  #watched(init: RequestInit): Response {
    const turn = this.#running;
    if (this.items.length === 0 && turn === null) return missing();
    return this.#stream(init, null, {}, (reader) => {
      if (turn !== null) reader.enqueue(encoder.encode(begun(turn)));
    });
  }

  #begin(text: string): FakeTurn {
    this.#count += 1;
    const turn: FakeTurn = { id: `turn${this.#count}`, text, said: "", ended: false };
    this.#running = turn;
    this.#tell(begun(turn), null);
    return turn;
  }

  #stream(
    init: RequestInit,
    of: FakeTurn | null,
    headers: Record<string, string>,
    first: (reader: Reader) => void,
  ): Response {
    let mine: Reader | null = null;
    const body = new ReadableStream<Uint8Array>({
      cancel: () => {
        if (mine !== null) this.#readers.delete(mine);
      },
      start: (reader) => {
        mine = reader;
        this.#readers.set(reader, of);
        init.signal?.addEventListener("abort", () => {
          if (this.#readers.delete(reader)) reader.error(init.signal?.reason);
        });
        first(reader);
      },
    });
    return new Response(body, { headers });
  }

  /** Sends to the readers of that turn, and to all watches. */
  #tell(text: string, turn: FakeTurn | null): void {
    for (const [reader, of] of this.#readers)
      if (of === null || of === turn) reader.enqueue(encoder.encode(text));
  }

  #finish(reader: Reader): void {
    reader.enqueue(encoder.encode(`${chunk({ delta: {}, finish_reason: "stop" })}data: [DONE]\n\n`));
    this.#readers.delete(reader);
    reader.close();
  }
}

function chunk(choice: object): string {
  return `data: ${JSON.stringify({ choices: [choice] })}\n\n`;
}

function begun({ id, text, said }: FakeTurn): string {
  const data = { response_id: id, input: [{ type: "message", role: "user", content: [{ text }] }] };
  const so = said === "" ? "" : chunk({ delta: { content: said } });
  return `event: turn.started\ndata: ${JSON.stringify(data)}\n\n${so}`;
}

function ended({ id }: FakeTurn): string {
  return `event: turn.ended\nid: ${id}/end\ndata: ${JSON.stringify({ response_id: id })}\n\n`;
}

function missing(): Response {
  return Response.json({ error: { message: "None.", code: null } }, { status: 404 });
}
