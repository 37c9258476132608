/**
 * A replica that fails before the first byte is never seen by a client; one that fails after it ends the stream with one
 * error event; and afterwards nobody has paid for what was not delivered.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { FaultInput } from "../../../dev/origin/server/faults.ts";
import { dataOf, tokenFor, unique, until } from "../callers.ts";
import { replicaAt, startServeWorld, type ServeWorld } from "./serve-world.ts";

const messages = [{ role: "user", content: "Explain quantum computing" }];

/** It has processes of its own, and so may run beside its like. */
const aloneInItsWorld = { concurrent: true };

interface Chunk {
  readonly choices?: readonly {
    readonly delta: { readonly content?: string };
    finish_reason: string | null;
  }[];
  readonly error?: { readonly code: string };
}

function textOf(events: readonly string[]): string {
  return events
    .filter((event) => event !== "[DONE]")
    .map((event) => (JSON.parse(event) as Chunk).choices?.[0]?.delta.content ?? "")
    .join("");
}

describe.each(["in-process", "service"] as const)("the router %s", (router) => {
  let world: ServeWorld;
  let expected = "";
  /** Tokens. */
  let cost = 0;

  beforeAll(async () => {
    world = await startServeWorld({ router });
    const token = await tokenFor();
    const response = await world.post(token, { model: "auto", messages, stream: true });
    expected = textOf(dataOf(await response.text()));
    expect(expected).toContain("stand-in");
    await until(async () => {
      const { used, reserved } = await world.usageOf(token);
      cost = used.tokens;
      return reserved.tokens === 0 && cost > 0;
    });
  });
  afterAll(() => world.stop());
  afterEach(async () => {
    for (const replica of world.fleet.replicas) {
      replica.setFaults();
      replica.setSpeed({ ttftMs: 0, tokenMs: 0 });
    }
  });

  async function expectWhole(response: Response, stream: boolean): Promise<void> {
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${response.status} ${text}`);
    if (stream) {
      const events = dataOf(text);
      expect(textOf(events)).toBe(expected);
      expect(events.at(-1)).toBe("[DONE]");
      return;
    }
    expect(
      (JSON.parse(text) as { choices: [{ message: { content: string } }] }).choices[0].message.content,
    ).toBe(expected);
  }

  const early: readonly FaultInput[] = [
    { fault: "refuse" },
    { fault: "cut_before_headers" },
    { fault: "status", status: 500 },
    { fault: "status", status: 502, body: "<html>Bad gateway</html>", content_type: "text/html" },
    { fault: "status", status: 503, retry_after: 1 },
    { fault: "status", status: 429, retry_after: 5 },
    { fault: "status", status: 302, body: "" },
    { fault: "status", status: 200, body: "<html>Sign in</html>", content_type: "text/html" },
    { fault: "slow_headers", delay_ms: 200 },
    { fault: "cut_after", after: 0 },
    { fault: "cut_after", after: 0, reset: true },
    { fault: "error_event", after: 0 },
    { fault: "error_event", after: 0, done: false, status: 503 },
    { fault: "end_early", after: 0 },
    { fault: "broken_chunk", after: 0 },
  ];
  test.each(early.map((fault) => ({ name: JSON.stringify(fault), fault })))(
    "$name before the first byte, on three of four replicas, is never seen",
    aloneInItsWorld,
    async ({ fault }) => {
      // New processes: breakers that earlier faults opened would keep all requests away from this one.
      const fresh = await startServeWorld({ router });
      try {
        const token = await tokenFor({ tier: "enterprise" });
        for (const at of [0, 1, 2]) replicaAt(fresh, at).setFaults(fault);
        // Streams, what the engine streams and is put together here, and what no one streams.
        const forms = [{ stream: true }, { stream: false }, { stream: false, max_tokens: 400 }];
        const asked = Array.from({ length: 12 }, async (_, at) => {
          const form = forms[at % forms.length] ?? {};
          await expectWhole(
            await fresh.post(token, { model: "auto", messages, ...form }),
            at % forms.length === 0,
          );
        });
        await Promise.all(asked);
        const records = fresh.fleet.replicas.flatMap((replica) => replica.requests());
        expect(records.filter((record) => record.fault !== null).length).toBeGreaterThan(1);
      } finally {
        await fresh.stop();
      }
    },
  );

  test.each(["before headers", "after headers"])(
    "a replica killed %s, with requests in hand, is never seen",
    async (when) => {
      const token = await tokenFor({ tier: "enterprise" });
      for (const at of [0, 1, 2, 3]) {
        for (const replica of world.fleet.replicas) {
          replica.clearRequests();
          if (when === "before headers") replica.setSpeed({ ttftMs: 400 });
          else replica.setFaults({ fault: "stall_before_first", delay_ms: 400 });
        }
        const victim = replicaAt(world, at);
        const asked = Array.from({ length: 24 }, async (_, index) => {
          const stream = index % 2 === 0;
          return expectWhole(await world.post(token, { model: "auto", messages, stream }), stream);
        });
        await until(async () => world.fleet.replicas.flatMap((one) => one.requests()).length >= 24);
        await victim.stop();
        await Promise.all(asked);
        await victim.start();
      }
    },
  );

  const late: readonly FaultInput[] = [
    { fault: "cut_after", after: 3 },
    { fault: "cut_after", after: 3, reset: true },
    { fault: "end_early", after: 3 },
    { fault: "error_event", after: 3 },
    { fault: "error_event", after: 3, done: false },
    { fault: "broken_chunk", after: 3 },
  ];
  test.each(late.map((fault) => ({ name: JSON.stringify(fault), fault })))(
    "$name on every replica, again and again, is one error event without [DONE], and what was delivered is what is paid",
    async ({ fault }) => {
      const token = await tokenFor();
      for (const replica of world.fleet.replicas) {
        replica.setFaults(fault);
        // Slow enough that each token is on its way before the connection breaks.
        replica.setSpeed({ tokenMs: 5 });
      }
      const requestId = unique("req");
      const response = await world.post(
        token,
        { model: "auto", messages, stream: true },
        { headers: { "x-request-id": requestId } },
      );
      expect(response.status).toBe(200);
      const events = dataOf(await response.text());
      const chunks = events.map((event) => JSON.parse(event) as Chunk);
      const errors = chunks.filter(({ error }) => error !== undefined);
      expect(errors).toEqual([chunks.at(-1)]);
      expect(errors[0]?.error).toMatchObject({ type: "server_error", code: "service_unavailable" });
      expect(JSON.stringify(errors)).not.toContain("EngineCore");
      expect(chunks.some((chunk) => chunk.choices?.some(({ finish_reason }) => finish_reason !== null))).toBe(
        false,
      );
      const delivered = chunks.filter((chunk) => chunk.choices?.[0]?.delta.content).length;
      // Three tokens of each engine: another goes on three times.
      expect(delivered).toBeLessThanOrEqual(12);
      const [record] = world.received(requestId);
      await until(async () => {
        const { used, reserved } = await world.usageOf(token);
        if (reserved.tokens !== 0 || used.requests !== 1) return false;
        expect(used.tokens).toBe(delivered === 0 ? 0 : (record?.prompt_tokens ?? 0) + delivered);
        return true;
      });
    },
  );

  test.each(late.map((fault) => ({ name: JSON.stringify(fault), fault })))(
    "$name on three of four replicas is never seen: another goes on in the same sentence",
    aloneInItsWorld,
    async ({ fault }) => {
      const fresh = await startServeWorld({ router });
      try {
        const token = await tokenFor({ tier: "enterprise" });
        for (const replica of fresh.fleet.replicas) replica.setSpeed({ tokenMs: 2 });
        await expectWhole(await fresh.post(token, { model: "auto", messages, stream: true }), true);
        // Where this prompt is at home, and two more.
        const { replicas } = fresh.fleet;
        const home = replicas.findIndex((replica) => replica.requests().length > 0);
        for (const [at, replica] of replicas.entries())
          if (at !== (home + 1) % replicas.length) replica.setFaults({ ...fault, times: 4 });
        const asked = Array.from({ length: 8 }, async (_, at) =>
          expectWhole(
            await fresh.post(token, { model: "auto", messages, stream: at % 2 === 0 }),
            at % 2 === 0,
          ),
        );
        await Promise.all(asked);
        await until(async () => fresh.log.some(({ continued }) => continued !== undefined));
        const [first] = fresh.fleet.replicas.flatMap((replica) =>
          replica.requests().filter(({ body }) => JSON.stringify(body).includes("continue_final_message")),
        );
        expect(first?.headers["x-request-id"]).toMatch(/-c\d\.[0-9a-f]{8}$/);
        await until(async () => {
          const { used, reserved } = await fresh.usageOf(token);
          if (reserved.tokens !== 0 || used.requests !== asked.length + 1) return false;
          // What one answer costs undisturbed, nine times: nothing twice, nothing for free.
          expect(used.tokens).toBe(9 * cost);
          return true;
        });
      } finally {
        await fresh.stop();
      }
    },
  );

  test("a client that waits for the whole answer gets 503 for a broken one, and may try again", async () => {
    const token = await tokenFor();
    for (const replica of world.fleet.replicas) replica.setFaults({ fault: "cut_after", after: 3 });
    const response = await world.post(token, { model: "auto", messages });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: "service_unavailable" } });
    expect(response.headers.get("retry-after")).toBe("1");
    for (const replica of world.fleet.replicas) replica.setFaults();
    await until(async () => (await world.post(token, { model: "auto", messages })).status === 200);
  });

  test("dripped bytes are put together as if they came at once", async () => {
    for (const replica of world.fleet.replicas)
      replica.setFaults({ fault: "drip", bytes: 64, interval_ms: 0 });
    const token = await tokenFor();
    await expectWhole(await world.post(token, { model: "auto", messages, stream: true }), true);
    await expectWhole(await world.post(token, { model: "auto", messages }), false);
  });

  test("stream_format text tells a broken stream in its own form", async () => {
    for (const replica of world.fleet.replicas) replica.setFaults({ fault: "cut_after", after: 3 });
    const body = { model: "auto", messages, stream: true, stream_format: "text" };
    const response = await world.post(await tokenFor(), body);
    const events = dataOf(await response.text()).map((event) => JSON.parse(event) as Record<string, unknown>);
    expect(events.at(-1)).toMatchObject({ text: "", done: true, error: { code: "service_unavailable" } });
    expect(events.filter(({ done }) => done)).toHaveLength(1);
  });

  describe("a client that resets its connection", () => {
    const ended = (requestId: string) =>
      until(async () => {
        const records = world.received(requestId);
        return records.length > 0 && records.every(({ state }) => state !== "running") && records;
      });

    test.each([true, false])("before the first byte aborts the engine, stream %s", async (stream) => {
      for (const replica of world.fleet.replicas) replica.setSpeed({ ttftMs: 30_000 });
      const token = await tokenFor();
      const requestId = unique("req");
      const client = world.vanishing(token, { model: "auto", messages, stream }, requestId);
      await until(async () => world.received(requestId).length > 0);
      client.vanish();
      const records = await ended(requestId);
      // One that is late may be asked of a second replica: it, too, is left.
      expect(new Set(records.map(({ state }) => state))).toEqual(new Set(["aborted"]));
      await until(async () => {
        const { used, reserved } = await world.usageOf(token);
        return reserved.tokens === 0 && used.tokens === 0;
      });
    });

    test("between two tokens aborts the engine, and what was delivered is settled", async () => {
      for (const replica of world.fleet.replicas) replica.setSpeed({ tokenMs: 50 });
      const token = await tokenFor();
      const requestId = unique("req");
      const long = { model: "auto", messages: [{ role: "user", content: "Write 3000 words" }], stream: true };
      const client = world.vanishing(token, long, requestId);
      await client.sees('"content":" comes"');
      client.vanish();
      const records = await ended(requestId);
      expect(new Set(records.map(({ state }) => state))).toEqual(new Set(["aborted"]));
      const [record] = records;
      const generated = Math.max(...records.map(({ generated_tokens: tokens }) => tokens));
      expect(generated).toBeLessThan(100);
      const seen = client.text().split('"content":"').length - 2;
      await until(async () => {
        const { used, reserved } = await world.usageOf(token);
        if (reserved.tokens !== 0 || used.tokens === 0) return false;
        const prompt = record?.prompt_tokens ?? 0;
        expect(used.tokens).toBeGreaterThanOrEqual(prompt + seen);
        expect(used.tokens).toBeLessThanOrEqual(prompt + generated);
        return true;
      });
    });
  });
});
