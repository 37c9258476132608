import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError, type TurnEvent } from "./api.ts";
import { emptyChat, reduceChat, type ChatState } from "./chat-state.ts";
import { runTurn, stopOnServer, type RunningTurn } from "./run-turn.ts";

let state: ChatState;
const dispatch = (event: Parameters<typeof reduceChat>[1]): void => {
  state = reduceChat(state, event);
};
const turn = (): RunningTurn => ({ abort: new AbortController(), responseId: null, stopAsked: false });
const refused = new ApiError({ status: 429, code: null, message: "Too many.", retryAfterMs: 1000 });

beforeEach(() => {
  state = emptyChat;
  vi.stubGlobal("requestAnimationFrame", (paint: () => void) => {
    queueMicrotask(paint);
    return 1;
  });
  vi.stubGlobal("cancelAnimationFrame", () => undefined);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a message that was refused while its stop was waited for was never sent: it is back in the field", async () => {
  const running = turn();
  // oxlint-disable-next-line require-yield
  const events = (async function* (): AsyncGenerator<TurnEvent> {
    running.stopAsked = true;
    throw refused;
  })();
  await runTurn(events, { text: "hello" }, "token", running, dispatch);
  expect(state).toMatchObject({ messages: [], draft: "hello", notice: { kind: "limit" } });
});

test("a stop that did not reach the server is not shown as one: the answer goes on, and the page says so", async () => {
  vi.stubGlobal("fetch", async () => new Response("{}", { status: 503 }));
  const running = turn();
  const events = (async function* (): AsyncGenerator<TurnEvent> {
    yield { type: "started", responseId: "r" };
    running.stopAsked = true;
    dispatch({ type: "stop-asked" });
    stopOnServer("token", running, dispatch);
    await running.stopping;
    expect(state.phase).toBe("waiting");
    yield { type: "delta", text: "all of it", reasoning: "" };
    yield { type: "finished", reason: "stop", model: "" };
  })();
  await runTurn(events, { text: "hello" }, "token", running, dispatch);
  expect(running.abort.signal.aborted).toBe(false);
  expect(state.messages.at(-1)).toMatchObject({ text: "all of it", status: "done" });
  expect(state.notice).toMatchObject({ title: "Not stopped" });
});

test("an answer whose connection breaks while its stop fails is not called stopped", async () => {
  vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("offline")));
  const running = turn();
  const events = (async function* (): AsyncGenerator<TurnEvent> {
    yield { type: "started", responseId: "r" };
    yield { type: "delta", text: "half", reasoning: "" };
    running.stopAsked = true;
    dispatch({ type: "stop-asked" });
    stopOnServer("token", running, dispatch);
    throw new TypeError("offline");
  })();
  await runTurn(events, { text: "hello" }, "token", running, dispatch);
  expect(state.messages.at(-1)).toMatchObject({ text: "half", status: "cut" });
});

test("a chat that is left before its message was answered lets it reach the server, and then go on by itself", async () => {
  const running = turn();
  let read = 0;
  const events = (async function* (): AsyncGenerator<TurnEvent> {
    running.left = true;
    yield { type: "started", responseId: "r" };
    read += 1;
  })();
  await runTurn(events, { text: "hello" }, "token", running, dispatch);
  expect(running.abort.signal.aborted).toBe(true);
  expect(read).toBe(0);
});

test("a connection that is lost before the first word, when the turn has begun, gives no words back: they would be sent, and paid, twice", async () => {
  const running = turn();
  const events = (async function* (): AsyncGenerator<TurnEvent> {
    yield { type: "started", responseId: "r" };
    throw new TypeError("network error");
  })();
  await runTurn(events, { text: "hello" }, "token", running, dispatch);
  expect(state).toMatchObject({ draft: "", notice: { kind: "offline", retry: false } });
  expect(state.messages.map(({ text }) => text)).toEqual(["hello"]);
});

test("a stop of a turn that is never named is not waited for for ever: the words are back, under the key that they were sent with", async () => {
  vi.useFakeTimers();
  const running = turn();
  // oxlint-disable-next-line require-yield
  const events = (async function* (): AsyncGenerator<TurnEvent> {
    await new Promise((_, reject) => {
      running.abort.signal.addEventListener("abort", () => reject(running.abort.signal.reason));
    });
  })();
  const shown = runTurn(events, { text: "hello" }, "token", running, dispatch);
  running.stopAsked = true;
  dispatch({ type: "stop-asked" });
  stopOnServer("token", running, dispatch);
  await vi.advanceTimersByTimeAsync(21_000);
  await shown;
  expect(state).toMatchObject({
    phase: "idle",
    messages: [],
    draft: "hello",
    notice: { title: "No answer came" },
  });
  expect(running.unanswered).toBe(true);
});
