import { afterEach, expect, test, vi } from "vitest";
import { demoSession } from "./api.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

test.each([
  ["cut off", () => new ReadableStream({ start: (body) => body.error(new TypeError("cut off")) })],
  ["no JSON", () => "<html>"],
])("a demo sign-in whose answer is %s has failed, and is no click that nothing comes of", async (_, body) => {
  vi.stubGlobal("fetch", async () => new Response(body()));
  expect(await demoSession()).toBeNull();
});
