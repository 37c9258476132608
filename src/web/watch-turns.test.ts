import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { emptyChat, reduceChat, type ChatState } from "./chat-state.ts";
import { runTurn } from "./run-turn.ts";
import { watchTurns } from "./watch-turns.ts";

const started = `event: turn.started\ndata: ${JSON.stringify({
  response_id: "r1",
  input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "hello" }] }],
})}\n\n`;
const ended = 'event: turn.ended\nid: r1/end\ndata: {"response_id":"r1"}\n\n';
const said = (at: number, content: string): string =>
  `id: r1/${at}\ndata: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;

/** A watch begun by the page: its request, and the server's side of it. */
interface Connection {
  readonly lastEventId: string | null;
  readonly say: (text: string) => void;
  readonly close: () => void;
}

class Page {
  state: ChatState = emptyChat;
  saves = 0;
  beginnings = 0;
  deletions = 0;
  refusals = 0;
  asks = 0;
  status = 200;
  /** The server ends each watch as soon as it has begun. */
  closesAtOnce = false;
  /** Requests get no answer. */
  isSilent = false;
  readonly window = new EventTarget();
  readonly #document = Object.assign(new EventTarget(), { hidden: false });
  readonly connections: Connection[] = [];
  readonly #leaving = new AbortController();
  #watching: Promise<void> = Promise.resolve();

  constructor() {
    vi.stubGlobal("document", this.#document);
    vi.stubGlobal("window", this.window);
    vi.stubGlobal("requestAnimationFrame", (paint: () => void) => {
      queueMicrotask(paint);
      return 1;
    });
    vi.stubGlobal("cancelAnimationFrame", () => undefined);
    vi.stubGlobal("fetch", (_: string, init: RequestInit) => this.#answer(init));
  }

  watch(shown = true): void {
    this.#watching = watchTurns(
      "token",
      "c",
      this.#leaving.signal,
      {
        isOwn: () => false,
        turn: (watched) =>
          runTurn(
            watched.events,
            { text: watched.text, watched: true },
            "",
            { abort: new AbortController(), responseId: watched.responseId, stopAsked: false },
            (event) => {
              this.state = reduceChat(this.state, event);
            },
          ),
        begun: async () => {
          this.beginnings += 1;
        },
        saved: async () => {
          this.saves += 1;
        },
        deleted: () => {
          this.deletions += 1;
        },
        refused: () => {
          this.refusals += 1;
        },
      },
      shown,
    );
  }

  async leave(): Promise<void> {
    this.#leaving.abort();
    await this.#watching;
    vi.unstubAllGlobals();
  }

  show(seen: boolean): void {
    this.#document.hidden = !seen;
    this.#document.dispatchEvent(new Event("visibilitychange"));
  }

  async #answer(init: RequestInit): Promise<Response> {
    init.signal?.throwIfAborted();
    this.asks += 1;
    if (this.isSilent)
      return new Promise((_, reject) => {
        init.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      });
    if (this.status !== 200) return Response.json({ error: { message: "no" } }, { status: this.status });
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        init.signal?.addEventListener("abort", () => controller.error(init.signal?.reason));
        this.connections.push({
          lastEventId: new Headers(init.headers).get("last-event-id"),
          say: (text) => controller.enqueue(encoder.encode(text)),
          close: () => controller.close(),
        });
        if (this.closesAtOnce) controller.close();
      },
    });
    return new Response(body);
  }

  async connection(at: number): Promise<Connection> {
    await vi.waitFor(() => expect(this.connections.length).toBe(at + 1), { timeout: 25_000 });
    const connection = this.connections[at];
    if (connection === undefined) throw new Error("no such connection");
    return connection;
  }
}

let page: Page;
beforeEach(() => {
  page = new Page();
});
afterEach(async () => {
  await page.leave();
  vi.useRealTimers();
});

test("a page that is hidden before a watched answer's first word keeps its question out of the field: it is under way, and would be sent twice", async () => {
  page.watch();
  (await page.connection(0)).say(started);
  await vi.waitFor(() => expect(page.state.phase).toBe("waiting"));
  page.show(false);
  await vi.waitFor(() => expect(page.state.phase).toBe("idle"));
  expect(page.state.draft).toBe("");
  expect(page.state.messages.map(({ text }) => text)).toEqual(["hello"]);
  expect(page.state.notice).toMatchObject({ kind: "offline", retry: false });
});

test("a page that is hidden in mid-answer says that it is still written, not that it broke off; seen again it shows all of it", async () => {
  page.watch();
  const first = await page.connection(0);
  first.say(started + said(0, "Qu"));
  await vi.waitFor(() => expect(page.state.messages.at(-1)?.text).toBe("Qu"));
  page.show(false);
  await vi.waitFor(() => expect(page.state.phase).toBe("idle"));
  expect(page.state.notice).toMatchObject({
    kind: "offline",
    advice: expect.stringContaining("goes on being written") as string,
  });
  page.show(true);
  const second = await page.connection(1);
  second.say(started + said(0, "Qu") + said(1, "antum") + ended);
  await vi.waitFor(() =>
    expect(page.state.messages.at(-1)).toMatchObject({ text: "Quantum", status: "done" }),
  );
});

test("a watch that the server closes in mid-answer is no answer's end: it is asked for from before it", async () => {
  page.watch();
  const first = await page.connection(0);
  first.say(started + said(0, "Qu"));
  await vi.waitFor(() => expect(page.state.messages.at(-1)?.text).toBe("Qu"));
  first.close();
  const second = await page.connection(1);
  expect(page.state.messages.at(-1)?.status).toBe("cut");
  expect(second.lastEventId).toBeNull();
});

test("what could not be read when the page was opened is shown once there is a connection", async () => {
  page.watch(false);
  await vi.waitFor(() => expect(page.saves).toBe(1));
});

test("a credential that has ended ends the watch, which would else ask every three seconds for ever", async () => {
  page.status = 401;
  page.watch();
  await vi.waitFor(() => expect(page.refusals).toBe(1));
  await page.leave();
  expect(page.asks).toBe(1);
});

test("that a chat was deleted elsewhere is told, in the middle of a turn, too", async () => {
  page.watch();
  const first = await page.connection(0);
  first.say(`${started}event: conversation.deleted\ndata: {}\n\n`);
  await vi.waitFor(() => expect(page.deletions).toBe(1));
  first.say("event: conversation.deleted\ndata: {}\n\n");
  await vi.waitFor(() => expect(page.deletions).toBe(2));
});

test("a watch that the server ends at once is asked for again and again, but less and less often, and at once when the connection is back", async () => {
  vi.useFakeTimers();
  page.closesAtOnce = true;
  page.watch();
  await vi.advanceTimersByTimeAsync(5000);
  expect(page.asks).toBeGreaterThanOrEqual(4);
  expect(page.asks).toBeLessThanOrEqual(6);
  await vi.advanceTimersByTimeAsync(600_000);
  const asks = page.asks;
  expect(asks).toBeLessThanOrEqual(60);
  await vi.advanceTimersByTimeAsync(1000);
  expect(page.asks).toBeLessThanOrEqual(asks + 1);
  page.window.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(0);
  expect(page.asks).toBeGreaterThan(asks);
});

test("a chat that the server does not know yet is asked for every few seconds, then more seldom", async () => {
  vi.useFakeTimers();
  page.status = 404;
  page.watch();
  await vi.advanceTimersByTimeAsync(1900);
  expect(page.asks).toBe(1);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(page.asks).toBeGreaterThan(2);
  expect(page.asks).toBeLessThan(10);
});

test("a watch that falls silent, without the server's sign of life, is begun anew", async () => {
  vi.useFakeTimers();
  page.watch();
  await vi.advanceTimersByTimeAsync(0);
  page.connections[0]?.say(": keep-alive\n\n");
  await vi.advanceTimersByTimeAsync(44_000);
  expect(page.asks).toBe(1);
  await vi.advanceTimersByTimeAsync(2000);
  expect(page.asks).toBe(2);
});

test("a watch whose headers never come is given up, and begun anew", async () => {
  vi.useFakeTimers();
  page.isSilent = true;
  page.watch();
  await vi.advanceTimersByTimeAsync(29_000);
  expect(page.asks).toBe(1);
  await vi.advanceTimersByTimeAsync(2000);
  expect(page.asks).toBe(2);
});

test("a page whose chat was changed by no turn (another tab chose a branch) shows it as it is", async () => {
  page.watch();
  (await page.connection(0)).say("event: conversation.changed\ndata: {}\n\n");
  await vi.waitFor(() => expect(page.saves).toBe(1));
});
