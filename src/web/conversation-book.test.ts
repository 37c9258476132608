import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ConversationBook, noChats, type ListedChats } from "./conversation-book.ts";

let chats: ListedChats;
let asked: {
  readonly method: string;
  readonly keepalive: boolean;
  readonly answer: (response: Response) => void;
}[];
let book: ConversationBook;
/** Deletions of chats' files that wait for an answer. */
let erasing: { readonly id: string; readonly answer: (gone: boolean) => void }[];
let filesKnown: boolean;

beforeEach(() => {
  chats = noChats;
  asked = [];
  erasing = [];
  filesKnown = true;
  book = new ConversationBook(
    "token",
    (now) => {
      chats = now;
    },
    async (id) => {
      if (!filesKnown) throw new TypeError("unreachable");
      return async () => {
        const { promise, resolve } = Promise.withResolvers<boolean>();
        erasing.push({ id, answer: resolve });
        return promise;
      };
    },
  );
  vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    asked.push({ method: init.method ?? "GET", keepalive: init.keepalive === true, answer: resolve });
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
const failing = (status: number): Response =>
  Response.json({ error: { message: "no", code: null } }, { status });
const asks = (count: number) => vi.waitFor(() => expect(asked.length).toBe(count));
const answer = (at: number, response: Response): void => asked[at]?.answer(response);

async function listed(): Promise<void> {
  const loading = book.refresh();
  answer(0, list("a", "b"));
  await loading;
}

test("no chats are said to be none when the server has told so, and not before", async () => {
  const first = book.refresh();
  answer(0, failing(503));
  await first;
  expect(chats).toEqual({ ...noChats, problem: "Your chats could not be loaded." });
  expect(chats.isKnown).toBe(false);
  const second = book.refresh();
  answer(1, list());
  await second;
  expect(chats).toEqual({ ...noChats, isKnown: true });
});

test("a name and a deletion reach the server even where the page is left at once", async () => {
  await listed();
  void book.rename("id of a", "x");
  void book.remove("id of b");
  await asks(3);
  expect(asked.slice(1).map(({ method, keepalive }) => [method, keepalive])).toEqual([
    ["POST", true],
    ["DELETE", true],
  ]);
});

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
  await asks(3);
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
  await asks(2);
  answer(1, failing(404));
  expect(await gone).toBe(true);
  const kept = book.remove("id of b");
  await asks(3);
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

test("a chat's files are erased when it is gone, and no sooner; what could not be is said, and tried again with the list", async () => {
  await listed();
  const removing = book.remove("id of a");
  await asks(2);
  expect(erasing).toEqual([]);
  answer(1, Response.json({}));
  expect(await removing).toBe(true);
  expect(erasing.map(({ id }) => id)).toEqual(["id of a"]);
  erasing[0]?.answer(false);
  await vi.waitFor(() => expect(chats.problem).toContain("not all of its files"));
  const again = book.refresh();
  answer(2, list("b"));
  await again;
  expect(chats.problem).toContain("not all of its files");
  erasing[1]?.answer(true);
  await vi.waitFor(() => expect(chats.problem).toBeNull());
  expect(erasing.length).toBe(2);
});

test("a chat whose files can't be told is not deleted: nobody would know of them any more", async () => {
  await listed();
  filesKnown = false;
  expect(await book.remove("id of a")).toBe(false);
  expect(asked.length).toBe(1);
  expect(titles()).toEqual(["a", "b"]);
  expect(chats.problem).toBe("The chat could not be deleted.");
});

test("a chat that could not be deleted keeps its files", async () => {
  await listed();
  const kept = book.remove("id of a");
  await asks(2);
  answer(1, failing(503));
  expect(await kept).toBe(false);
  expect(erasing).toEqual([]);
});
