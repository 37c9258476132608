import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { emptyChat, reduceChat, type ChatState } from "./chat-state.ts";
import { KeptThread } from "./kept-thread.ts";

let state: ChatState;
let asked: { readonly path: string; readonly answer: (response: Response) => void }[];
let left: AbortController;
let branches: readonly object[];
const thread = (conversation = "c"): KeptThread =>
  new KeptThread(
    "token",
    conversation,
    left.signal,
    (event) => {
      state = reduceChat(state, event);
    },
    () => undefined,
  );

beforeEach(() => {
  state = emptyChat;
  asked = [];
  branches = [];
  left = new AbortController();
  vi.stubGlobal("fetch", async (path: string) => {
    if (path.endsWith("/branches")) return Response.json({ data: branches });
    const { promise, resolve } = Promise.withResolvers<Response>();
    asked.push({ path, answer: resolve });
    return promise;
  });
});
afterEach(() => {
  left.abort();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** In the API's order: newest first. */
const items = (has_more: boolean, ...ids: string[]): Response =>
  Response.json({
    has_more,
    data: ids.toReversed().map((id) => ({ id, role: "user", content: [{ text: id }] })),
  });
const shown = (): string[] => state.messages.map(({ text }) => text);

test("behind a turn its latest items are read, and not the whole page again; where they don't follow on what is known, it is", async () => {
  const kept = thread();
  const begun = kept.begun(false);
  asked[0]?.answer(items(true, "a", "b", "c"));
  await begun;
  const turn = kept.refresh(true);
  asked[1]?.answer(items(true, "c", "d", "e"));
  await turn;
  expect(shown()).toEqual(["a", "b", "c", "d", "e"]);
  const far = kept.refresh(true);
  asked[2]?.answer(items(true, "x", "y"));
  await vi.waitFor(() => expect(asked.length).toBe(4));
  asked[3]?.answer(items(true, "e", "f", "x", "y"));
  await far;
  expect(shown()).toEqual(["a", "b", "c", "d", "e", "f", "x", "y"]);
  const limits = asked.map(({ path }) => /limit=(\d+)/.exec(path)?.[1]);
  expect(limits).toEqual(["100", "10", "10", "100"]);
});

test("a chat whose pictures don't come in time is shown in smaller portions, and not never", async () => {
  const cut = (): Response =>
    new Response(new ReadableStream({ start: (body) => body.error(new TypeError("cut off")) }));
  const kept = thread();
  const begun = kept.begun(false);
  asked[0]?.answer(cut());
  await vi.waitFor(() => expect(asked.length).toBe(2));
  asked[1]?.answer(items(true, "c", "d"));
  await begun;
  expect([shown(), state.hasEarlier, state.notice]).toEqual([["c", "d"], true, null]);
  const earlier = kept.loadEarlier();
  asked[2]?.answer(cut());
  await vi.waitFor(() => expect(asked.length).toBe(4));
  asked[3]?.answer(items(false, "a", "b"));
  await earlier;
  expect(shown()).toEqual(["a", "b", "c", "d"]);
  expect(asked.map(({ path }) => /limit=(\d+)/.exec(path)?.[1])).toEqual(["100", "10", "100", "10"]);
});

test("earlier messages that are asked for twice are there once", async () => {
  const kept = thread();
  const begun = kept.begun(false);
  asked[0]?.answer(items(true, "c", "d"));
  await begun;
  const both = [kept.loadEarlier(), kept.loadEarlier()];
  for (const { answer } of asked.slice(1)) answer(items(false, "a", "b"));
  await Promise.all(both);
  expect(shown()).toEqual(["a", "b", "c", "d"]);
});

test("earlier messages that were asked for stay when a turn is saved; where the thread is another one, it is shown from its end", async () => {
  const kept = thread();
  const begun = kept.begun(false);
  asked[0]?.answer(items(true, "c", "d"));
  await begun;
  const earlier = kept.loadEarlier();
  asked[1]?.answer(items(true, "a", "b"));
  await earlier;
  const refreshing = kept.refresh();
  asked[2]?.answer(items(true, "d", "e"));
  await refreshing;
  expect(shown()).toEqual(["a", "b", "c", "d", "e"]);
  expect(state.hasEarlier).toBe(true);
  const first = kept.loadEarlier();
  asked[3]?.answer(items(false, "0"));
  await first;
  expect(state.hasEarlier).toBe(false);
  const again = kept.refresh();
  asked[4]?.answer(items(true, "e", "f"));
  await again;
  expect(shown()).toEqual(["0", "a", "b", "c", "d", "e", "f"]);
  expect(state.hasEarlier).toBe(false);
  const other = kept.refresh();
  asked[5]?.answer(items(true, "x", "y"));
  await other;
  expect(shown()).toEqual(["x", "y"]);
  expect(state.hasEarlier).toBe(true);
});

test("an older answer that comes after a newer one changes nothing", async () => {
  const kept = thread();
  const both = [kept.refresh(), kept.refresh()];
  asked[1]?.answer(items(false, "a", "b"));
  await both[1];
  asked[0]?.answer(items(false, "a"));
  await both[0];
  expect(shown()).toEqual(["a", "b"]);
});

test("a chat that could not be read says so, offers nothing that would send the draft, and is known to be missing", async () => {
  const kept = thread();
  const begun = kept.begun(false);
  asked[0]?.answer(new Response("{}", { status: 503 }));
  expect(await begun).toBe(false);
  expect(state.notice).toMatchObject({ title: "This chat could not be loaded", retry: false });
});

test("a credential that has ended ends the looking, too, and is said", async () => {
  vi.useFakeTimers();
  const kept = thread();
  const looking = kept.refreshWhenSaved();
  await vi.advanceTimersByTimeAsync(300);
  asked[0]?.answer(Response.json({ error: { message: "expired" } }, { status: 401 }));
  await vi.advanceTimersByTimeAsync(60_000);
  await looking;
  expect(asked.length).toBe(1);
  expect(state.notice?.title).toBe("Please sign in again");
});

test("a chat that was deleted elsewhere is not on screen as if the model still knew it", async () => {
  const kept = thread();
  const begun = kept.begun(false);
  asked[0]?.answer(items(false, "a", "b"));
  await begun;
  kept.deleted();
  expect(state.messages).toEqual([]);
  expect(state.notice?.title).toBe("This chat was deleted");
});

test("a new chat that is left as its answer ends is listed", async () => {
  vi.useFakeTimers();
  let listed = 0;
  const count = (): void => {
    listed += 1;
  };
  const looking = new KeptThread("token", "c", left.signal, () => undefined, count).refreshWhenSaved();
  left.abort();
  await vi.advanceTimersByTimeAsync(300);
  await looking;
  expect(listed).toBe(1);
});

test("a message is an answer to the branch on screen, where that is known: all of it is shown, and nothing behind it", async () => {
  const kept = thread();
  const show = async (...ids: string[]): Promise<string | null> => {
    const refreshing = kept.refresh();
    asked.at(-1)?.answer(items(false, ...ids));
    await refreshing;
    return kept.branch;
  };
  expect(await show("a", "b")).toBeNull();
  branches = [
    { id: "br_0", last_item_id: "b", active: false },
    { id: "br_1", parent_branch: "br_0", parent_item_id: "a", last_item_id: "c", active: true },
  ];
  // Another tab chose a branch while both were read.
  expect(await show("a", "b")).toBeNull();
  expect(await show("a", "c")).toBe("br_1");
  kept.goesOn();
  expect(kept.branch).toBeNull();
  expect(await show("a", "c")).toBe("br_1");
  kept.deleted();
  expect(kept.branch).toBeNull();
});

test("a chat that the server has named and knows no more is said to be deleted when it is opened; one under the page's name may come to be", async () => {
  const missing = (): Response => Response.json({ error: { message: "none" } }, { status: 404 });
  for (const conversation of ["chat-1", "conv_1"]) {
    const begun = thread(conversation).begun(false);
    asked.at(-1)?.answer(missing());
    await begun;
    expect(state.phase).toBe("idle");
    expect(state.notice?.title ?? null).toBe(conversation === "conv_1" ? "This chat was deleted" : null);
  }
});
