/** Which store contains a chat's files, where is that recorded, and what happens if the store is gone? */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ChatFilesBench, file } from "./chat-files-fixture.ts";
import { storeKey } from "./store-of-chat.ts";

let bench: ChatFilesBench;
beforeEach(() => {
  bench = new ChatFilesBench();
});
afterEach(() => bench.end());

test("of a chat that is begun the conversation says which store is its own, beside what it said before", async () => {
  bench.server.conversation = { topic: "gardens" };
  const desk = bench.opened();
  desk.add([file("a.md")]);
  await bench.settled();
  const [storeId] = bench.server.stores.keys();
  expect(bench.server.conversation).toEqual({ topic: "gardens", [storeKey]: storeId });
});

test("of a chat that is not begun it is said once its first turn is saved", async () => {
  const desk = bench.opened();
  desk.add([file("a.md")]);
  await bench.settled();
  desk.asked();
  expect(bench.view.files[0]?.sent).toBe(true);
  await desk.saved();
  expect(bench.server.conversation).toBeNull();
  bench.server.conversation = {};
  await desk.saved();
  const [storeId] = bench.server.stores.keys();
  expect(bench.server.conversation).toEqual({ [storeKey]: storeId });
  const before = bench.server.asked.length;
  await desk.saved();
  expect(bench.server.asked.length).toBe(before);
});

test("a second tab's file goes into the store that the first has made", async () => {
  bench.server.conversation = {};
  const first = bench.opened();
  first.add([file("a.md")]);
  await bench.settled();
  const second = bench.opened();
  second.add([file("b.md")]);
  await bench.settled();
  expect(bench.server.stores.size).toBe(1);
  expect(bench.onlyStore().files.size).toBe(2);
});

test("a chat that is opened shows its files by their names; one that was asked with stays", async () => {
  bench.server.conversation = {};
  const before = bench.opened();
  before.add([file("a.md"), file("b.md")]);
  await bench.settled();
  before.asked();
  const [storeId = ""] = bench.server.stores.keys();
  const desk = bench.opened();
  await desk.open(storeId);
  expect(bench.states()).toEqual([
    ["a.md", "ready"],
    ["b.md", "ready"],
  ]);
  expect(desk.storeIds()).toEqual([storeId]);
  await desk.remove(bench.view.files[0]?.key ?? "");
  expect(bench.server.files.size).toBe(2);
});

test("a file that nothing was asked with can be taken back behind a reload, too; asked with, it stays", async () => {
  bench.server.conversation = {};
  const before = bench.opened();
  before.add([file("a.md"), file("b.md")]);
  await bench.settled();
  const [storeId = ""] = bench.server.stores.keys();
  const desk = bench.opened();
  await desk.open(storeId);
  expect(bench.view.files.map(({ sent }) => sent)).toEqual([false, false]);
  bench.server.refuses = { what: "DELETE", status: 503 };
  await desk.remove(bench.view.files[0]?.key ?? "");
  expect(bench.view.note).toContain("a.md could not be removed");
  bench.server.refuses = null;
  await desk.remove(bench.view.files.find(({ name }) => name === "a.md")?.key ?? "");
  expect(bench.states()).toEqual([["b.md", "ready"]]);
  expect([...bench.server.files.values()].map(({ filename }) => filename)).toEqual(["b.md"]);
  desk.asked();
  await bench.opened().open(storeId);
  expect(bench.view.files.map(({ name, sent }) => [name, sent])).toEqual([["b.md", true]]);
});

test("a file that is still being read when the chat is opened is asked about once at a time, however often it is looked at", async () => {
  vi.useFakeTimers();
  bench.server.conversation = {};
  bench.server.reads = "never";
  bench.opened().add([file("a.md")]);
  await vi.advanceTimersByTimeAsync(1000);
  const [storeId = ""] = bench.server.stores.keys();
  const desk = bench.opened();
  for (let looks = 0; looks < 5; looks += 1) await desk.open(storeId);
  const before = bench.server.asked.length;
  await vi.advanceTimersByTimeAsync(240);
  expect(bench.server.asked.length).toBe(before);
  await vi.advanceTimersByTimeAsync(20);
  // The first tab reads at another time.
  expect(bench.server.asked.length).toBe(before + 1);
});

test("a store that has expired is said to be gone, and the next file makes another, which the conversation then says", async () => {
  bench.server.conversation = {};
  const before = bench.opened();
  before.add([file("a.md")]);
  await bench.settled();
  const [storeId = ""] = bench.server.stores.keys();
  bench.onlyStore().expired = true;
  bench.onlyStore().files.clear();
  const desk = bench.opened();
  await desk.open(storeId);
  expect(bench.view.note).toContain("files of this chat are gone");
  expect(desk.storeIds()).toEqual([]);
  desk.add([file("b.md")]);
  await bench.settled();
  expect(bench.states()).toEqual([["b.md", "ready"]]);
  const [, another] = bench.server.stores.keys();
  expect(bench.server.conversation).toEqual({ [storeKey]: another });
});

test("a store that expires while the chat is open takes no file: another is made for it", async () => {
  bench.server.conversation = {};
  const desk = bench.opened();
  desk.add([file("a.md")]);
  await bench.settled();
  bench.onlyStore().expired = true;
  desk.add([file("b.md"), file("c.md")]);
  await bench.settled();
  expect(bench.states()).toEqual([
    ["b.md", "ready"],
    ["c.md", "ready"],
  ]);
  expect(bench.server.stores.size).toBe(2);
  expect(bench.view.note).toContain("gone");
});

test("where there are too many stores, those of chats whose time is over make room; nobody else's do", async () => {
  bench.server.mostStores = 2;
  const old = { createdMs: 0, expired: true, files: new Map() };
  bench.server.stores.set("vs-old", { ...old, metadata: { chat: "an old chat" } });
  bench.server.stores.set("vs-own", { ...old, metadata: {} });
  bench.opened().add([file("a.md")]);
  await bench.settled();
  expect(bench.states()).toEqual([["a.md", "ready"]]);
  expect([...bench.server.stores.keys()]).toEqual(["vs-own", expect.any(String)]);
  bench.chat = `another ${bench.chat}`;
  bench.opened().add([file("b.md")]);
  await bench.settled();
  expect(bench.view.files[0]?.state).toMatchObject({
    kind: "failed",
    why: expect.stringMatching(/Delete chats/),
  });
});

test("a store whose files were all taken back is no store that has expired", async () => {
  bench.server.conversation = {};
  const before = bench.opened();
  before.add([file("a.md")]);
  await bench.settled();
  await before.remove(bench.view.files[0]?.key ?? "");
  const [storeId = ""] = bench.server.stores.keys();
  const desk = bench.opened();
  await desk.open(storeId);
  expect(bench.view).toMatchObject({ files: [], note: null });
  expect(desk.storeIds()).toEqual([]);
});
