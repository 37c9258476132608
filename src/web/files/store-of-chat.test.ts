import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeFilesServer } from "./fake-files-server.ts";
import { forgetStore, notSaidStore, rememberStore, storeKey, storeOfChat } from "./store-of-chat.ts";

let server: FakeFilesServer;

beforeEach(() => {
  server = new FakeFilesServer();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

test("what the conversation says counts; what this browser remembers until then does, too", async () => {
  expect(await storeOfChat("token", "c")).toBeNull();
  rememberStore("c", "vs-1");
  expect(await storeOfChat("token", "c")).toBe("vs-1");
  server.conversation = { [storeKey]: "vs-2" };
  expect(await storeOfChat("token", "c")).toBe("vs-2");
  forgetStore("c");
  expect(notSaidStore("c")).toBeNull();
});

test("chats that never came to be are forgotten: not all of them are remembered for ever", () => {
  for (let at = 0; at < 30; at += 1) rememberStore(`chat-${at}`, `vs-${at}`);
  expect(notSaidStore("chat-0")).toBeNull();
  expect(notSaidStore("chat-29")).toBe("vs-29");
  rememberStore("chat-29", "vs-another");
  expect(notSaidStore("chat-29")).toBe("vs-another");
});

test("a conversation that could not be asked is none that says nothing", async () => {
  server.refuses = { what: "GET", status: 500 };
  await expect(storeOfChat("token", "c")).rejects.toThrow("said by the server");
});
