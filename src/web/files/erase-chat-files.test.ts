import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ChatFiles } from "./chat-files.ts";
import { FakeFilesServer } from "./fake-files-server.ts";
import { filesOfDeleted } from "./files-of-deleted.ts";

let server: FakeFilesServer;

beforeEach(async () => {
  server = new FakeFilesServer();
  server.conversation = {};
  let ready = 0;
  const desk = new ChatFiles({
    conversation: "c",
    token: () => "token",
    show: ({ files }) => {
      ready = files?.filter(({ state }) => state.kind === "ready").length ?? ready;
    },
  });
  desk.add([new File(["a"], "a.md"), new File(["b"], "b.md")]);
  await vi.waitFor(() => expect(ready).toBe(2));
});
afterEach(() => {
  vi.unstubAllGlobals();
});

test("a deleted chat's files and its store are erased", async () => {
  const erase = await filesOfDeleted("token", "c");
  expect(server.files.size).toBe(2);
  expect(await erase()).toBe(true);
  expect([server.files.size, server.stores.size]).toEqual([0, 0]);
});

test("where one can't be erased the store stays, so that it is found at the next try", async () => {
  const erase = await filesOfDeleted("token", "c");
  server.refuses = { what: "DELETE /v1/files/file-2", status: 503 };
  expect(await erase()).toBe(false);
  expect(server.stores.size).toBe(1);
  server.refuses = null;
  expect(await erase()).toBe(true);
  expect([server.files.size, server.stores.size]).toEqual([0, 0]);
});

test("a store that somebody made by himself and named in the conversation is not erased with it", async () => {
  const [store] = server.stores.values();
  if (store === undefined) throw new Error("there is none");
  store.metadata["chat"] = "another";
  const erase = await filesOfDeleted("token", "c");
  expect(await erase()).toBe(true);
  expect([server.files.size, server.stores.size]).toEqual([2, 1]);
});

test("a file that somebody has put into it by himself is taken out with the store, and not deleted", async () => {
  const [store] = server.stores.values();
  server.files.set("file-own", { id: "file-own", filename: "own.md" });
  store?.files.set("file-own", { status: "completed", error: null, attributes: {} });
  const erase = await filesOfDeleted("token", "c");
  expect(await erase()).toBe(true);
  expect([...server.files.keys()]).toEqual(["file-own"]);
  expect(server.stores.size).toBe(0);
});

test("a chat of which nobody can say whether it has files is not deleted", async () => {
  server.refuses = { what: "GET /v1/conversations", status: 503 };
  await expect(filesOfDeleted("token", "c")).rejects.toThrow("said by the server");
});
