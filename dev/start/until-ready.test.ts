import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { waitUntilReady } from "./until-ready.ts";

const times = { withinMs: 60_000, modelMs: 1 };
const open: { close(): void }[] = [];

afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

/** Answers `/health/ready` with these in turn, then always with the last; null: 200. */
async function productThatSays(...answers: readonly (string | null)[]): Promise<string> {
  const left = [...answers];
  const server = createServer((_, response) => {
    const text = (left.length > 1 ? left.shift() : left[0]) ?? null;
    response.writeHead(text === null ? 200 : 503).end(text ?? '{"status":"ready"}');
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const lacks = (part: string): string => JSON.stringify({ status: "unavailable", part });

test("a product is ready when it says so, whatever it said before", async () => {
  const url = await productThatSays("<h1>starting</h1>", lacks("bucket"), lacks("model:auto"), null);
  expect(await waitUntilReady(url, { ...times, modelMs: 60_000 })).toBeNull();
});

test("one that lacks nothing but a model's servers is called ready without them", async () => {
  const url = await productThatSays(lacks("configuration"), lacks("model:hf.co/a:b"));
  expect(await waitUntilReady(url, times)).toBe("hf.co/a:b");
});

test("anything else that stays wrong is told in the end", async () => {
  const url = await productThatSays(lacks("bucket"));
  await expect(waitUntilReady(url, { withinMs: 200, modelMs: 1 })).rejects.toThrow(
    'Not ready after 0.2 s: 503 {"status":"unavailable","part":"bucket"}',
  );
});
