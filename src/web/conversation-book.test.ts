import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ConversationBook, noChats, type ListedChats } from "./conversation-book.ts";

let chats: ListedChats;
let asked: { readonly method: string; readonly answer: (response: Response) => void }[];
let book: ConversationBook;

beforeEach(() => {
  chats = noChats;
  asked = [];
  book = new ConversationBook("token", (now) => {
    chats = now;
  });
  vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    asked.push({ method: init.method ?? "GET", answer: resolve });
    return promise;
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const part = (has_more: boolean, ...titles: string[]): Response =>
  Response.json({ data: titles.map((title) => ({ id: `id of ${title}`, title })), has_more });
const list = (...titles: string[]): Response => part(false, ...titles);
const titles = (): (string | null)[] => chats.entries.map(({ title }) => title);
const failing = (status: number): Response => new Response("{}", { status });
const answer = (at: number, response: Response): void => asked[at]?.answer(response);

async function listed(): Promise<void> {
  const loading = book.refresh();
  answer(0, list("a", "b"));
  await loading;
}

test("a name that could not be given is not shown as if it had been, and one given since stays", async () => {
  await listed();
  const first = book.rename("id of a", "x");
  expect(titles()).toEqual(["x", "b"]);
  answer(1, failing(503));
  await first;
  expect(titles()).toEqual(["a", "b"]);
  expect(chats.problem).toBe("The name could not be changed.");
  const both = [book.rename("id of a", "y"), book.rename("id of a", "z")];
  answer(2, failing(503));
  answer(3, Response.json({}));
  await Promise.all(both);
  expect(titles()).toEqual(["z", "b"]);
});

test("a list that was asked for before a deletion does not bring the chat back", async () => {
  await listed();
  const loading = book.refresh();
  const removing = book.remove("id of a");
  answer(2, Response.json({}));
  await vi.waitFor(() => expect(asked.length).toBe(4));
  answer(1, list("a", "b"));
  await loading;
  expect(titles()).toEqual(["b"]);
  answer(3, list("b"));
  expect(await removing).toBe(true);
});

test("a chat that was deleted elsewhere is gone when it is deleted here; one that could not be is not", async () => {
  await listed();
  const gone = book.remove("id of a");
  answer(1, failing(404));
  expect(await gone).toBe(true);
  const kept = book.remove("id of b");
  answer(2, failing(503));
  expect(await kept).toBe(false);
  expect(titles()).toEqual(["b"]);
  expect(chats.problem).toBe("The chat could not be deleted.");
});

test("what more was shown of the list stays when the list is looked at again; what was deleted elsewhere does not", async () => {
  const first = book.refresh();
  answer(0, part(true, "c", "b"));
  await first;
  const more = book.showMore();
  answer(1, list("a"));
  await more;
  const again = book.refresh();
  answer(2, part(true, "d", "b"));
  await again;
  expect(titles()).toEqual(["d", "b", "a"]);
  expect(chats.hasMore).toBe(false);
  const all = book.refresh();
  answer(3, list("d", "b"));
  await all;
  expect(titles()).toEqual(["d", "b"]);
});

test("more can be shown though the last chat of the list was deleted elsewhere", async () => {
  const first = book.refresh();
  answer(0, part(true, "c", "b"));
  await first;
  const more = book.showMore();
  answer(1, failing(400));
  await vi.waitFor(() => expect(asked.length).toBe(3));
  answer(2, list("c", "a"));
  await more;
  expect(titles()).toEqual(["c", "a"]);
  expect(chats.problem).toBeNull();
});
