import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type FilesView, noFiles } from "./chat-file.ts";
import { ChatFiles, mostFiles } from "./chat-files.ts";
import { FakeFilesServer } from "./fake-files-server.ts";
import { storeKey } from "./store-of-chat.ts";

let server: FakeFilesServer;
let view: FilesView;
let chat: string;
let chats = 0;

beforeEach(() => {
  server = new FakeFilesServer();
  chats += 1;
  chat = `chat-${chats}`;
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function opened(): ChatFiles {
  view = noFiles;
  return new ChatFiles({
    conversation: chat,
    token: () => "token",
    show: (change) => {
      view = { ...view, ...change };
    },
  });
}
const file = (name: string, text = "words"): File => new File([text], name, { lastModified: 1 });
const states = (): (readonly [string, string])[] => view.files.map(({ name, state }) => [name, state.kind]);
const settled = () =>
  vi.waitFor(() => {
    for (const [, kind] of states()) expect(["ready", "failed"]).toContain(kind);
  });
const onlyStore = () => {
  const [store] = server.stores.values();
  if (store === undefined) throw new Error("there is none");
  return store;
};

test("the first file makes the chat's store, named for it; those behind it lie in the same, and questions name it", async () => {
  const desk = opened();
  desk.add([file("a.md"), file("b.md"), file("c.md")]);
  expect(desk.storeIds()).toEqual([]);
  await settled();
  expect(states()).toEqual([
    ["a.md", "ready"],
    ["b.md", "ready"],
    ["c.md", "ready"],
  ]);
  expect(server.stores.size).toBe(1);
  expect(onlyStore().metadata).toEqual({ chat });
  expect(desk.storeIds()).toEqual([...server.stores.keys()]);
});

test("at most two go at once, and each tells how far it is", async () => {
  server.holdsUploads = true;
  const desk = opened();
  desk.add([file("a.md"), file("b.md"), file("c.md")]);
  await vi.waitFor(() => expect(server.uploads.length).toBe(2));
  server.uploads[0]?.progress(1, 4);
  expect(view.files[0]?.state).toEqual({ kind: "uploading", percent: 25 });
  expect(states()[2]).toEqual(["c.md", "waiting"]);
  await server.uploads[0]?.finish();
  await vi.waitFor(() => expect(server.uploads.length).toBe(3));
});

test("one that is removed while it is on its way is on its way no more, and lies nowhere", async () => {
  server.holdsUploads = true;
  const desk = opened();
  desk.add([file("a.md"), file("b.md")]);
  await vi.waitFor(() => expect(server.uploads.length).toBe(2));
  await desk.remove(view.files[0]?.key ?? "");
  await server.uploads[1]?.finish();
  await settled();
  expect(states()).toEqual([["b.md", "ready"]]);
  expect([...server.files.values()].map(({ filename }) => filename)).toEqual(["b.md"]);
});

test("one whose removal crosses its last byte is erased", async () => {
  server.holdsUploads = true;
  const desk = opened();
  desk.add([file("a.md")]);
  await vi.waitFor(() => expect(server.uploads.length).toBe(1));
  // The server has it, and its answer is on the way.
  const finishing = server.uploads[0]?.finish();
  expect(server.files.size).toBe(1);
  await Promise.all([finishing, desk.remove(view.files[0]?.key ?? "")]);
  expect(view.files).toEqual([]);
  await vi.waitFor(() => expect(server.files.size).toBe(0));
});

test("one that could not be removed is back, and said to be there still", async () => {
  const desk = opened();
  desk.add([file("a.md")]);
  await settled();
  server.refuses = { what: "DELETE", status: 503 };
  await desk.remove(view.files[0]?.key ?? "");
  expect(states()).toEqual([["a.md", "ready"]]);
  expect(view.note).toContain("a.md could not be removed");
  server.refuses = null;
  await desk.remove(view.files[0]?.key ?? "");
  expect(view.files).toEqual([]);
  expect(server.files.size).toBe(0);
});

test("what can't be searched says why, and does not stay on the server", async () => {
  server.reads = { code: "unsupported_file", message: "It is over 8388608 bytes, and a PNG." };
  const desk = opened();
  desk.add([file("a.png")]);
  await settled();
  expect(view.files[0]?.state).toEqual({
    kind: "failed",
    why: "It is over 8 MB, and a PNG.",
    retry: false,
  });
  await vi.waitFor(() => expect(server.files.size).toBe(0));
  expect(desk.storeIds()).toEqual([]);
});

test.each([
  [
    413,
    { message: "The file is over the limit of 33554432 bytes. Send a smaller one." },
    /32 MB.*smaller/,
    false,
  ],
  [429, {}, /Try again in 1 s/, true],
  [503, {}, /Try again in a moment/, true],
  [
    400,
    { message: "There are 5 files already, the most that this tenant allows. Delete some first." },
    /Delete chats/,
    true,
  ],
  [400, { message: "must have a name" }, /must have a name/, false],
] as const)("an upload that is answered %i says what to do", async (status, said, words, retry) => {
  server.refuses = { what: "POST /v1/files", status, ...said };
  const desk = opened();
  desk.add([file("a.md")]);
  await settled();
  expect(view.files[0]?.state).toMatchObject({ kind: "failed", why: expect.stringMatching(words), retry });
});

test("where files are refused altogether the page knows it for the next one", async () => {
  server.refuses = { what: "POST /v1/vector_stores", status: 403 };
  opened().add([file("a.md")]);
  await settled();
  expect(view.refused).toContain("administrator");
});

test("a connection that is lost in mid-upload is said, and Try again sends it", async () => {
  server.holdsUploads = true;
  const desk = opened();
  desk.add([file("a.md")]);
  await vi.waitFor(() => expect(server.uploads.length).toBe(1));
  server.uploads[0]?.lose();
  await settled();
  expect(view.files[0]?.state).toMatchObject({ kind: "failed", retry: true });
  server.holdsUploads = false;
  desk.retry(view.files[0]?.key ?? "");
  await settled();
  expect(states()).toEqual([["a.md", "ready"]]);
  expect(server.stores.size).toBe(1);
});

test("an upload that falls silent is given up", async () => {
  vi.useFakeTimers();
  server.holdsUploads = true;
  const desk = opened();
  desk.add([file("a.md")]);
  await vi.advanceTimersByTimeAsync(0);
  expect(states()).toEqual([["a.md", "uploading"]]);
  await vi.advanceTimersByTimeAsync(61_000);
  expect(view.files[0]?.state).toMatchObject({ kind: "failed", retry: true });
});

test("one that is never read is not waited for for ever", async () => {
  vi.useFakeTimers();
  server.reads = "never";
  const desk = opened();
  desk.add([file("a.md")]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(states()).toEqual([["a.md", "reading"]]);
  await vi.advanceTimersByTimeAsync(310_000);
  expect(view.files[0]?.state).toMatchObject({ kind: "failed", retry: true });
});

test("an empty file, one too many, and the same one twice", async () => {
  const desk = opened();
  desk.add([file("empty.md", "")]);
  expect(states()).toEqual([["empty.md", "failed"]]);
  expect(server.asked).toEqual([]);
  desk.add([file("a.md"), file("a.md")]);
  desk.add([file("a.md")]);
  desk.add(Array.from({ length: mostFiles + 1 }, (_, at) => file(`${at}.md`)));
  await settled();
  const ready = view.files.filter(({ state }) => state.kind === "ready");
  expect(new Set(ready.map(({ name }) => name)).size).toBe(mostFiles);
  expect(view.note).toContain(`room for ${mostFiles} files`);
  expect(server.files.size).toBe(mostFiles);
});

test("of a chat that is begun the conversation says which store is its own, beside what it said before", async () => {
  server.conversation = { topic: "gardens" };
  const desk = opened();
  desk.add([file("a.md")]);
  await settled();
  const [storeId] = server.stores.keys();
  expect(server.conversation).toEqual({ topic: "gardens", [storeKey]: storeId });
});

test("of a chat that is not begun it is said once its first turn is saved", async () => {
  const desk = opened();
  desk.add([file("a.md")]);
  await settled();
  desk.asked();
  expect(view.files[0]?.sent).toBe(true);
  await desk.saved();
  expect(server.conversation).toBeNull();
  server.conversation = {};
  await desk.saved();
  const [storeId] = server.stores.keys();
  expect(server.conversation).toEqual({ [storeKey]: storeId });
  const before = server.asked.length;
  await desk.saved();
  expect(server.asked.length).toBe(before);
});

test("a second tab's file goes into the store that the first has made", async () => {
  server.conversation = {};
  const first = opened();
  first.add([file("a.md")]);
  await settled();
  const second = opened();
  second.add([file("b.md")]);
  await settled();
  expect(server.stores.size).toBe(1);
  expect(onlyStore().files.size).toBe(2);
});

test("a chat that is opened shows its files by their names; one that was asked with stays", async () => {
  server.conversation = {};
  const before = opened();
  before.add([file("a.md"), file("b.md")]);
  await settled();
  const [storeId = ""] = server.stores.keys();
  const desk = opened();
  await desk.open(storeId);
  expect(states()).toEqual([
    ["a.md", "ready"],
    ["b.md", "ready"],
  ]);
  expect(desk.storeIds()).toEqual([storeId]);
  await desk.remove(view.files[0]?.key ?? "");
  expect(server.files.size).toBe(2);
});

test("a store that has expired is said to be gone, and the next file makes another, which the conversation then says", async () => {
  server.conversation = {};
  const before = opened();
  before.add([file("a.md")]);
  await settled();
  const [storeId = ""] = server.stores.keys();
  onlyStore().expired = true;
  onlyStore().files.clear();
  const desk = opened();
  await desk.open(storeId);
  expect(view.note).toContain("files of this chat are gone");
  expect(desk.storeIds()).toEqual([]);
  desk.add([file("b.md")]);
  await settled();
  expect(states()).toEqual([["b.md", "ready"]]);
  const [, another] = server.stores.keys();
  expect(server.conversation).toEqual({ [storeKey]: another });
});

test("a store that expires while the chat is open takes no file: another is made for it", async () => {
  server.conversation = {};
  const desk = opened();
  desk.add([file("a.md")]);
  await settled();
  onlyStore().expired = true;
  desk.add([file("b.md"), file("c.md")]);
  await settled();
  expect(states()).toEqual([
    ["b.md", "ready"],
    ["c.md", "ready"],
  ]);
  expect(server.stores.size).toBe(2);
  expect(view.note).toContain("gone");
});

test("where there are too many stores, those of chats whose time is over make room; nobody else's do", async () => {
  server.mostStores = 2;
  const old = { createdMs: 0, expired: true, files: new Map() };
  server.stores.set("vs-old", { ...old, metadata: { chat: "an old chat" } });
  server.stores.set("vs-own", { ...old, metadata: {} });
  opened().add([file("a.md")]);
  await settled();
  expect(states()).toEqual([["a.md", "ready"]]);
  expect([...server.stores.keys()]).toEqual(["vs-own", expect.any(String)]);
  chat = `another ${chat}`;
  opened().add([file("b.md")]);
  await settled();
  expect(view.files[0]?.state).toMatchObject({ kind: "failed", why: expect.stringMatching(/Delete chats/) });
});

test("a store whose files were all taken back is no store that has expired", async () => {
  server.conversation = {};
  const before = opened();
  before.add([file("a.md")]);
  await settled();
  await before.remove(view.files[0]?.key ?? "");
  const [storeId = ""] = server.stores.keys();
  const desk = opened();
  await desk.open(storeId);
  expect(view).toMatchObject({ files: [], note: null });
  expect(desk.storeIds()).toEqual([]);
});

test("who signs out stops what is on its way", async () => {
  server.holdsUploads = true;
  const desk = opened();
  desk.add([file("a.md"), file("b.md"), file("c.md")]);
  await vi.waitFor(() => expect(server.uploads.length).toBe(2));
  desk.stop();
  await server.uploads[0]?.finish();
  await server.uploads[1]?.finish();
  expect(server.uploads.length).toBe(2);
  expect(onlyStore().files.size).toBe(0);
});
