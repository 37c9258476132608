import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { newConversation } from "../keep.ts";
import { openDesk, FileBar } from "./desk.ts";
import { FakeFilesServer } from "./fake-files-server.ts";
import { filesOfChat, FilesOfChat, keepFiles, leaveFiles } from "./files-of-chat.ts";
import { storeKey } from "./store-of-chat.ts";

let server: FakeFilesServer;
let loads: number;
let reachable: boolean;
const load = async () => {
  loads += 1;
  if (!reachable) throw new TypeError("Failed to fetch dynamically imported module");
  return { openDesk, FileBar };
};

beforeEach(() => {
  server = new FakeFilesServer();
  loads = 0;
  reachable = true;
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const file = (name: string): File => new File(["words"], name);
const kinds = (files: FilesOfChat): string[] => files.shown().files.map(({ state }) => state.kind);

test("a new chat has no files, and nobody is asked", async () => {
  const files = new FilesOfChat(newConversation(), "token", load);
  await files.look(new AbortController().signal);
  expect(files.shown().known).toBe(true);
  expect(server.asked).toEqual([]);
  expect(loads).toBe(0);
});

test("of a chat without files the code that handles them is not loaded", async () => {
  server.conversation = {};
  const files = new FilesOfChat("c1", "token", load);
  expect(files.shown().known).toBe(false);
  await files.look(new AbortController().signal);
  expect(files.shown().known).toBe(true);
  expect(loads).toBe(0);
});

test("which files a chat has is asked until there is an answer: nothing is asked without them", async () => {
  vi.useFakeTimers();
  server.conversation = {};
  server.refuses = { what: "GET", status: 503 };
  const files = new FilesOfChat("c2", "token", load);
  const looking = files.look(new AbortController().signal);
  await vi.advanceTimersByTimeAsync(3000);
  expect(files.shown().known).toBe(false);
  server.refuses = null;
  await vi.advanceTimersByTimeAsync(30_000);
  await looking;
  expect(files.shown().known).toBe(true);
});

test("where the code can't be loaded it is said, and the next file tries again", async () => {
  const files = new FilesOfChat("c3", "token", load);
  reachable = false;
  await files.add([file("a.md")], false);
  expect(files.shown().note).toContain("could not be loaded");
  files.dismiss();
  expect(files.shown().note).toBeNull();
  reachable = true;
  await files.add([file("a.md")], false);
  await vi.waitFor(() => expect(kinds(files)).toEqual(["ready"]));
});

test("a chat whose files can't be shown for want of that code says so, asks nothing without them, and tries again", async () => {
  vi.useFakeTimers();
  server.conversation = { [storeKey]: "vs-1" };
  server.stores.set("vs-1", { metadata: {}, createdMs: Date.now(), expired: false, files: new Map() });
  reachable = false;
  const files = new FilesOfChat("c7", "token", load);
  const looking = files.look(new AbortController().signal);
  await vi.advanceTimersByTimeAsync(3000);
  expect(files.shown()).toMatchObject({ known: false, note: expect.stringContaining("reload the page") });
  reachable = true;
  await vi.advanceTimersByTimeAsync(30_000);
  await looking;
  expect(files.shown()).toMatchObject({ known: true, note: null });
});

test("where files are refused, one that is dropped all the same is told why", async () => {
  server.refuses = { what: "POST /v1/vector_stores", status: 403 };
  const files = new FilesOfChat("c8", "token", load);
  await files.add([file("a.md")], false);
  await vi.waitFor(() => expect(files.shown().refused).toContain("administrator"));
  await files.add([file("b.md")], false);
  expect(files.shown().note).toBe(files.shown().refused);
  expect(kinds(files)).toEqual(["failed"]);
});

test("a turn that was refused since its store is gone takes the files off the page", async () => {
  server.conversation = {};
  const files = new FilesOfChat("c4", "token", load);
  await files.add([file("a.md")], false);
  await vi.waitFor(() => expect(kinds(files)).toEqual(["ready"]));
  files.asked([]);
  server.stores.clear();
  files.gone();
  expect(files.shown().files).toEqual([]);
  expect(files.storeIds()).toEqual([]);
});

test("what another device has attached is seen when it has asked", async () => {
  server.conversation = {};
  const files = new FilesOfChat("c5", "token", load);
  await files.look(new AbortController().signal);
  const another = new FilesOfChat("c5", "token", load);
  await another.add([file("a.md")], false);
  await vi.waitFor(() => expect(kinds(another)).toEqual(["ready"]));
  expect(server.conversation?.[storeKey]).toBeDefined();
  await files.lookAgain();
  expect(kinds(files)).toEqual(["ready"]);
  expect(files.storeIds()).toEqual(another.storeIds());
});

test("whoever looks into another chat finds his files where he left them, and nobody else's", async () => {
  server.reads = "never";
  const files = new FilesOfChat("c6", "token", load);
  keepFiles("alice", "c6", files);
  await files.add([file("a.md")], false);
  leaveFiles("alice", "c6");
  expect(filesOfChat("alice", "c6", "fresh token")).toBe(files);
  expect(filesOfChat("bob", "c6", "token")).not.toBe(files);
});
