import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, expect, test, vi } from "vitest";
import { bucketName } from "../../src/shared/limits/bucket-name.ts";
import { bearer, putTenant, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { fakeEngine } from "./fake-engine.ts";

/** An org's bucket that is far, through the Worker as it ships: only its being far is played, by an object that is busy. */
beforeAll(() => {
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => fakeEngine(new Request(input).url, init));
  vi.spyOn(console, "log").mockImplementation(() => undefined);
});

const pause = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));

test("a client in Paris is let in by the stock of its region while its org's bucket is busy elsewhere", async () => {
  const tenant = `far-${crypto.randomUUID().slice(0, 8)}`;
  await putTenant(tenant, {});
  const authorization = await bearer(tenant, "anne");
  const bucket = env.TOKEN_BUCKET.getByName(bucketName(tenant, "org", tenant));
  const keepBusy = (ms: number) =>
    runInDurableObject(bucket, async (_object, state) => state.blockConcurrencyWhile(() => pause(ms)));
  /** Asks while the org's bucket is busy for so long each time that it is asked: at admission, and when a prompt proves longer. */
  const chat = async (busyMs: number, cf: object) => {
    const first = keepBusy(busyMs);
    await pause(5);
    const second = pause(20).then(() => keepBusy(busyMs));
    const init = {
      method: "POST",
      headers: { authorization, "content-type": "application/json", "cache-control": "no-store" },
      body: JSON.stringify({ model: "auto", max_tokens: 20, messages: [{ role: "user", content: "hello" }] }),
      cf,
    };
    const response = await send("/v1/chat/completions", init as RequestInit);
    await response.text();
    await Promise.all([first, second]);
    return response.status;
  };
  const paris = { latitude: "48.85", longitude: "2.35" };
  // Nobody says where this one is, so that the bucket is waited for: for a second, and then in vain.
  await eventually(async () => expect(await chat(200, {})).toBe(200));
  expect(await chat(2_000, {})).toBe(503);
  // The first one from Paris finds the bucket far and has a stock made; one soon after has a loan fetched, which is given back when
  // nobody needs it. Then the next comes from the region: the bucket is not waited for. On a machine that has too much to do the
  // stock may be late, too, and then is left alone for a while.
  do {
    await eventually(async () => expect(await chat(200, paris)).toBe(200));
    await settled();
  } while ((await chat(2_000, paris)) !== 200);
  await settled();
}, 120_000);
