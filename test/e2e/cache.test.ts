/** Is the second identical request answered from the cache, and only where it may be? */
import { expect, test } from "vitest";
import { dataOf, post, received, tokenFor, unique, until, usageOf } from "./product.ts";

const path = "/v1/chat/completions";

function body(content: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { model: "auto", temperature: 0, messages: [{ role: "user", content }], ...more };
}

/** The store happens behind the answer, so the second request may come too early: asks until it is a hit. */
async function untilHit(token: string, asked: Record<string, unknown>): Promise<Response> {
  return until(async () => {
    const response = await post(path, token, asked);
    if (response.headers.get("cache-status")?.includes("hit") === true) return response;
    await response.text();
    return undefined;
  });
}

/**
 * A kept answer alone is asked for: for that the product waits longer than 20 ms, which a busy machine may need, and where there is none
 * nothing is asked and kept in its place.
 */
const onlyIfCached = { "cache-control": "only-if-cached" };

async function expectNothingKept(token: string, asked: Record<string, unknown>): Promise<void> {
  const response = await post(path, token, asked, onlyIfCached);
  await response.text();
  expect(response.status).toBe(504);
}

test("the second identical request with temperature 0 is a hit that costs no tokens and reaches no model", async () => {
  const token = await tokenFor();
  const asked = body(unique("question"));
  let sent = 0;
  const ask = (headers: Readonly<Record<string, string>> = {}): Promise<Response> => {
    sent += 1;
    return post(path, token, asked, headers);
  };
  /** When all that was sent is settled. */
  const settled = () =>
    until(async () => {
      const { user } = await usageOf(token);
      return user.used.requests === sent && user.reserved.requests === 0 && user.used;
    });
  const first = await ask();
  expect(first.headers.get("cache-status")).toMatch(/^edgewise; fwd=miss/);
  const answered = (await first.json()) as { id: string; choices: unknown };
  await until(async () => {
    const again = await ask();
    await again.text();
    return again.headers.get("cache-status")?.includes("hit");
  });
  const before = await settled();
  const requestId = unique("req");
  const hit = await ask({ "x-request-id": requestId, ...onlyIfCached });
  expect(hit.headers.get("cache-status")).toMatch(/^edgewise; hit; ttl=\d+; detail=exact$/);
  const replayed = (await hit.json()) as { id: string; choices: unknown; usage: Record<string, unknown> };
  expect(replayed.choices).toEqual(answered.choices);
  expect(replayed.id).not.toBe(answered.id);
  expect(await received(requestId)).toEqual([]);
  expect((await settled()).tokens).toBe(before.tokens);
});

test("a hit is replayed as a stream where a stream was asked for, and the other way round", async () => {
  const token = await tokenFor();
  const asked = body(unique("question"));
  const whole = (await (await post(path, token, asked)).json()) as {
    choices: [{ message: { content: string } }];
  };
  const response = await untilHit(token, {
    ...asked,
    stream: true,
    stream_options: { include_usage: true },
  });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const events = dataOf(await response.text());
  expect(events.at(-1)).toBe("[DONE]");
  const chunks = events.slice(0, -1).map((event) => JSON.parse(event) as Chunk);
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe(
    whole.choices[0].message.content,
  );
  expect(chunks.at(-1)?.usage).toBeTruthy();

  const streamedFirst = body(unique("question"), { stream: true });
  const text = dataOf(await (await post(path, token, streamedFirst)).text())
    .slice(0, -1)
    .map((event) => (JSON.parse(event) as Chunk).choices[0]?.delta.content ?? "")
    .join("");
  const { stream: _, ...wholeSecond } = streamedFirst;
  const hit = await untilHit(token, wholeSecond);
  expect(await hit.json()).toMatchObject({ choices: [{ message: { content: text } }] });
});

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[];
  readonly usage?: unknown;
}

test("Cache-Control: no-store, no-cache and max-age=0 get a new answer", async () => {
  const token = await tokenFor();
  const asked = body(unique("question"));
  await (await post(path, token, asked)).text();
  await (await untilHit(token, asked)).text();
  for (const directive of ["no-cache", "no-store", "max-age=0"]) {
    const requestId = unique("req");
    const response = await post(path, token, asked, {
      "cache-control": directive,
      "x-request-id": requestId,
    });
    await response.text();
    expect(response.headers.get("cache-status")).toBe("edgewise; fwd=request");
    expect(await received(requestId)).not.toEqual([]);
  }
});

test("Cache-Control: max-age takes a kept answer that is young enough", async () => {
  const token = await tokenFor();
  const asked = body(unique("question"));
  await (await post(path, token, asked)).text();
  await (await untilHit(token, asked)).text();
  const again = await post(path, token, asked, { "cache-control": "max-age=600, only-if-cached" });
  await again.text();
  expect(again.headers.get("cache-status")).toContain("hit");
});

test("an answer asked for with no-store is not kept", async () => {
  const token = await tokenFor();
  const asked = body(unique("question"));
  await (await post(path, token, asked, { "cache-control": "no-store" })).text();
  await expectNothingKept(token, asked);
});

test("another user, another field or a temperature is a miss", async () => {
  const token = await tokenFor();
  const asked = body(unique("question"));
  await (await post(path, token, asked)).text();
  await (await untilHit(token, asked)).text();
  await expectNothingKept(await tokenFor(), asked);
  for (const other of [{ max_tokens: 5 }, { stop: ["dev"] }, { seed: 1 }])
    await expectNothingKept(token, { ...asked, ...other });
  const warm = await post(path, token, { ...asked, temperature: 0.1 });
  await warm.text();
  expect(warm.headers.get("cache-status")).toContain("fwd=bypass");
});

test("a hit in stream_format text costs no tokens and has no [DONE]", async () => {
  const token = await tokenFor();
  const asked = body(unique("question"), { stream: true, stream_format: "text" });
  const first = dataOf(await (await post(path, token, asked)).text());
  const again = dataOf(await (await untilHit(token, asked)).text());
  const text = (events: readonly string[]) =>
    events.map((event) => (JSON.parse(event) as { text: string }).text).join("");
  expect(text(again)).toBe(text(first));
  expect(JSON.parse(again.at(-1) ?? "")).toMatchObject({ done: true, finish_reason: "stop" });
});
