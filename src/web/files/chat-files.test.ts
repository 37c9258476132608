import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ChatFilesBench, file } from "./chat-files-fixture.ts";
import { mostFiles } from "./chat-files.ts";

let bench: ChatFilesBench;
beforeEach(() => {
  bench = new ChatFilesBench();
});
afterEach(() => bench.end());

test("the first file makes the chat's store, named for it; those behind it lie in the same, and questions name it", async () => {
  const desk = bench.opened();
  desk.add([file("a.md"), file("b.md"), file("c.md")]);
  expect(desk.storeIds()).toEqual([]);
  await bench.settled();
  expect(bench.states()).toEqual([
    ["a.md", "ready"],
    ["b.md", "ready"],
    ["c.md", "ready"],
  ]);
  expect(bench.server.stores.size).toBe(1);
  expect(bench.onlyStore().metadata).toEqual({ chat: bench.chat });
  expect(desk.storeIds()).toEqual([...bench.server.stores.keys()]);
});

test("at most two go at once, and each tells how far it is", async () => {
  bench.server.holdsUploads = true;
  const desk = bench.opened();
  desk.add([file("a.md"), file("b.md"), file("c.md")]);
  await vi.waitFor(() => expect(bench.server.uploads.length).toBe(2));
  bench.server.uploads[0]?.progress(1, 4);
  expect(bench.view.files[0]?.state).toEqual({ kind: "uploading", percent: 25 });
  expect(bench.states()[2]).toEqual(["c.md", "waiting"]);
  await bench.server.uploads[0]?.finish();
  await vi.waitFor(() => expect(bench.server.uploads.length).toBe(3));
});

test("one that is removed while it is on its way is on its way no more, and lies nowhere", async () => {
  bench.server.holdsUploads = true;
  const desk = bench.opened();
  desk.add([file("a.md"), file("b.md")]);
  await vi.waitFor(() => expect(bench.server.uploads.length).toBe(2));
  await desk.remove(bench.view.files[0]?.key ?? "");
  await bench.server.uploads[1]?.finish();
  await bench.settled();
  expect(bench.states()).toEqual([["b.md", "ready"]]);
  expect([...bench.server.files.values()].map(({ filename }) => filename)).toEqual(["b.md"]);
});

test("one whose removal crosses its last byte is erased", async () => {
  bench.server.holdsUploads = true;
  const desk = bench.opened();
  desk.add([file("a.md")]);
  await vi.waitFor(() => expect(bench.server.uploads.length).toBe(1));
  // The server has it, and its answer is in transit.
  const finishing = bench.server.uploads[0]?.finish();
  expect(bench.server.files.size).toBe(1);
  await Promise.all([finishing, desk.remove(bench.view.files[0]?.key ?? "")]);
  expect(bench.view.files).toEqual([]);
  await vi.waitFor(() => expect(bench.server.files.size).toBe(0));
});

test("one that could not be removed is back, and said to be there still", async () => {
  const desk = bench.opened();
  desk.add([file("a.md")]);
  await bench.settled();
  bench.server.refuses = { what: "DELETE", status: 503 };
  await desk.remove(bench.view.files[0]?.key ?? "");
  expect(bench.states()).toEqual([["a.md", "ready"]]);
  expect(bench.view.note).toContain("a.md could not be removed");
  bench.server.refuses = null;
  await desk.remove(bench.view.files[0]?.key ?? "");
  expect(bench.view.files).toEqual([]);
  expect(bench.server.files.size).toBe(0);
});

test("what can't be searched says why, and does not stay on the server", async () => {
  bench.server.reads = { code: "unsupported_file", message: "It is over 8388608 bytes, and a PNG." };
  const desk = bench.opened();
  desk.add([file("a.png")]);
  await bench.settled();
  expect(bench.view.files[0]?.state).toEqual({
    kind: "failed",
    why: "It is over 8 MB, and a PNG.",
    retry: false,
  });
  await vi.waitFor(() => expect(bench.server.files.size).toBe(0));
  expect(desk.storeIds()).toEqual([]);
});

test.each([
  [
    413,
    { message: "The file is over the limit of 33554432 bytes. Send a smaller one." },
    /32 MB.*smaller/,
    false,
  ],
  [429, {}, /Too much at once/, true],
  [503, {}, /Try again in a moment/, true],
  [
    400,
    { message: "There are 5 files already, the most that this tenant allows. Delete some first." },
    /Delete chats/,
    true,
  ],
  [400, { message: "must have a name" }, /must have a name/, false],
] as const)("an upload that is answered %i says what to do", async (status, said, words, retry) => {
  bench.server.refuses = { what: "POST /v1/files", status, ...said };
  const desk = bench.opened();
  desk.add([file("a.md")]);
  await bench.settled();
  expect(bench.view.files[0]?.state).toMatchObject({
    kind: "failed",
    why: expect.stringMatching(words),
    retry,
  });
});

test.each(["POST /v1/files", "POST /v1/vector_stores/", "POST /v1/vector_stores"])(
  "what refuses %s for want of requests says which limit it is, and until when",
  async (what) => {
    const headers = {
      "retry-after": "30",
      "x-ratelimit-window-requests": "user/requests_per_hour",
      "x-ratelimit-limit-requests": "100",
    };
    bench.server.refuses = { what, status: 429, code: "insufficient_quota", headers };
    const before = Date.now();
    const desk = bench.opened();
    desk.add([file("a.md")]);
    await bench.settled();
    const [refused] = bench.view.files;
    expect(refused?.state).toEqual({
      kind: "failed",
      why: "Your plan has 100 messages an hour. Files count like messages.",
      retry: true,
      untilMs: expect.any(Number),
    });
    if (refused?.state.kind !== "failed") throw new Error("it was refused");
    expect(refused.state.untilMs).toBeGreaterThanOrEqual(before + 30_000);
    bench.server.refuses = null;
    desk.retry(refused.key);
    await bench.settled();
    expect(bench.view.files[0]?.state).toEqual({ kind: "ready" });
  },
);

test("where files are refused altogether the page knows it for the next one", async () => {
  bench.server.refuses = { what: "POST /v1/vector_stores", status: 403 };
  bench.opened().add([file("a.md")]);
  await bench.settled();
  expect(bench.view.refused).toContain("administrator");
});

test("a connection that is lost in mid-upload is said, and Try again sends it", async () => {
  bench.server.holdsUploads = true;
  const desk = bench.opened();
  desk.add([file("a.md")]);
  await vi.waitFor(() => expect(bench.server.uploads.length).toBe(1));
  bench.server.uploads[0]?.lose();
  await bench.settled();
  expect(bench.view.files[0]?.state).toMatchObject({ kind: "failed", retry: true });
  bench.server.holdsUploads = false;
  desk.retry(bench.view.files[0]?.key ?? "");
  await bench.settled();
  expect(bench.states()).toEqual([["a.md", "ready"]]);
  expect(bench.server.stores.size).toBe(1);
});

test("a file that was changed since it was chosen, or is a folder, is no connection that is lost", async () => {
  bench.server.holdsUploads = true;
  const desk = bench.opened();
  const unread = Object.assign(file("folder"), {
    slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException("", "NotReadableError")) }),
  });
  desk.add([unread]);
  await vi.waitFor(() => expect(bench.server.uploads.length).toBe(1));
  bench.server.uploads[0]?.lose();
  await bench.settled();
  expect(bench.view.files[0]?.state).toMatchObject({
    retry: false,
    why: expect.stringContaining("is a folder"),
  });
});

test("an upload that falls silent is given up", async () => {
  vi.useFakeTimers();
  bench.server.holdsUploads = true;
  const desk = bench.opened();
  desk.add([file("a.md")]);
  await vi.advanceTimersByTimeAsync(0);
  expect(bench.states()).toEqual([["a.md", "uploading"]]);
  await vi.advanceTimersByTimeAsync(61_000);
  expect(bench.view.files[0]?.state).toMatchObject({ kind: "failed", retry: true });
});

test("one that is never read is not waited for for ever", async () => {
  vi.useFakeTimers();
  bench.server.reads = "never";
  const desk = bench.opened();
  desk.add([file("a.md")]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(bench.states()).toEqual([["a.md", "reading"]]);
  await vi.advanceTimersByTimeAsync(310_000);
  expect(bench.view.files[0]?.state).toMatchObject({ kind: "failed", retry: true });
});

test("an empty file, one too many, and the same one twice", async () => {
  const desk = bench.opened();
  desk.add([file("empty.md", "")]);
  expect(bench.states()).toEqual([["empty.md", "failed"]]);
  expect(bench.server.asked).toEqual([]);
  desk.add([file("a.md"), file("a.md")]);
  desk.add([file("a.md")]);
  desk.add(Array.from({ length: mostFiles + 1 }, (_, at) => file(`${at}.md`)));
  await bench.settled();
  const ready = bench.view.files.filter(({ state }) => state.kind === "ready");
  expect(new Set(ready.map(({ name }) => name)).size).toBe(mostFiles);
  expect(bench.view.note).toContain(`room for ${mostFiles} files`);
  expect(bench.server.files.size).toBe(mostFiles);
});

test("who signs out stops what is on its way", async () => {
  bench.server.holdsUploads = true;
  const desk = bench.opened();
  desk.add([file("a.md"), file("b.md"), file("c.md")]);
  await vi.waitFor(() => expect(bench.server.uploads.length).toBe(2));
  desk.stop();
  await bench.server.uploads[0]?.finish();
  await bench.server.uploads[1]?.finish();
  expect(bench.server.uploads.length).toBe(2);
  expect(bench.onlyStore().files.size).toBe(0);
});
