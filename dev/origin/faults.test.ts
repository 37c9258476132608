import { describe, expect, test } from "vitest";
import type { RunningReplica } from "./fleet.ts";
import { answerOf, chat, chunksOf, payloads, post, readUntilEnd, withReplica } from "./testing.ts";

const path = "/v1/chat/completions";
const streamed = chat("count to 50", { stream: true });
const whole = chat("count to 50");

async function contentsUntilEnd(replica: RunningReplica) {
  const { text, cut } = await readUntilEnd(await post(replica, path, streamed));
  const contents = [...text.matchAll(/"delta":\{"content":/g)].length;
  return { contents, cut, text };
}

/** Resolves when the record says so: by the record itself, not by a time. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe("a fault that was set", () => {
  test("refuse and cut_before_headers end the connection without an answer", async () => {
    await withReplica({}, async (replica) => {
      for (const fault of ["refuse", "cut_before_headers"] as const) {
        replica.setFaults({ fault });
        await expect(post(replica, path, whole)).rejects.toThrow(/fetch failed/);
        expect(replica.requests().at(-1)).toMatchObject({ state: "faulted", fault });
      }
    });
  });

  test("status answers with it, with Retry-After, so many times and no more", async () => {
    await withReplica({}, async (replica) => {
      replica.setFaults({ fault: "status", status: 429, retry_after: 7, times: 2 });
      const answers = [];
      for (let at = 0; at < 3; at++) answers.push(await post(replica, path, whole));
      expect(answers.map(({ status }) => status)).toEqual([429, 429, 200]);
      expect(answers[0]?.headers.get("retry-after")).toBe("7");
      await Promise.all(answers.map(async (answer) => answer.text()));
    });
  });

  test("status may answer as a proxy does, and on other paths", async () => {
    await withReplica({}, async (replica) => {
      replica.setFaults(
        { fault: "status", status: 502, body: "<html>Bad gateway</html>", content_type: "text/html" },
        { fault: "status", status: 503, paths: ["/health"] },
      );
      const proxied = await post(replica, path, whole);
      expect(proxied.headers.get("content-type")).toBe("text/html");
      expect(await proxied.text()).toContain("Bad gateway");
      expect((await fetch(`${replica.url}/health`)).status).toBe(503);
    });
  });

  test("cut_after delivers exactly so many tokens and ends without an end", async () => {
    await withReplica({}, async (replica) => {
      for (const after of [0, 1, 5]) {
        replica.setFaults({ fault: "cut_after", after });
        expect(await contentsUntilEnd(replica)).toMatchObject({ contents: after, cut: true });
        expect(replica.requests().at(-1)).toMatchObject({ state: "faulted", generated_tokens: after });
      }
      replica.setFaults({ fault: "cut_after", after: 3 });
      expect(await readUntilEnd(await post(replica, path, whole))).toMatchObject({ cut: true });
    });
  });

  test("broken_chunk is no JSON and all else is as ever", async () => {
    await withReplica({}, async (replica) => {
      replica.setFaults({ fault: "broken_chunk", after: 2 });
      const events = await payloads(await post(replica, path, streamed));
      const broken = events.filter((event) => !event.endsWith("}") && event !== "[DONE]");
      expect(broken).toHaveLength(1);
      expect(() => JSON.parse(broken[0] ?? "")).toThrow(SyntaxError);
      expect(events.at(-1)).toBe("[DONE]");
      await expect(answerOf(await post(replica, path, whole))).rejects.toThrow(SyntaxError);
    });
  });

  test("error_event comes under 200, with [DONE] behind it as vLLM has it", async () => {
    await withReplica({}, async (replica) => {
      replica.setFaults({ fault: "error_event", after: 2 });
      const response = await post(replica, path, streamed);
      const events = await payloads(response);
      expect(response.status).toBe(200);
      expect(events.at(-1)).toBe("[DONE]");
      expect(chunksOf(events).at(-1)?.error).toMatchObject({ code: 500, type: "InternalServerError" });
      const answer = await post(replica, path, whole);
      expect(answer.status).toBe(200);
      expect((await answerOf(answer)).error?.code).toBe(500);
    });
  });

  test("end_early ends cleanly without a finish reason", async () => {
    await withReplica({}, async (replica) => {
      replica.setFaults({ fault: "end_early", after: 4 });
      const { contents, cut, text } = await contentsUntilEnd(replica);
      expect({ contents, cut }).toEqual({ contents: 4, cut: false });
      expect(text).not.toContain("[DONE]");
      expect(text).not.toContain('"finish_reason":"stop"');
    });
  });

  test("drip sends the same bytes in small pieces", async () => {
    await withReplica({}, async (replica) => {
      const short = chat("count to 3", { stream: true });
      replica.setFaults({ fault: "drip", bytes: 100, interval_ms: 0 });
      const events = await payloads(await post(replica, path, short));
      expect(
        chunksOf(events)
          .map((chunk) => chunk.choices[0]?.delta.content ?? "")
          .join(""),
      ).toBe("1, 2, 3");
      expect(events.at(-1)).toBe("[DONE]");
    });
  });

  test("slow_headers come, late", async () => {
    await withReplica({}, async (replica) => {
      replica.setFaults({ fault: "slow_headers", delay_ms: 30 });
      const response = await post(replica, path, whole);
      const [record] = replica.requests();
      expect(response.status).toBe(200);
      expect((record?.ended_ms ?? 0) - (record?.started_ms ?? 0)).toBeGreaterThanOrEqual(29);
      await response.text();
    });
  });

  test.each([
    ["stall_before_first", 0],
    ["stall_after", 3],
  ] as const)("%s holds the stream and its slot until the client goes", async (fault, tokens) => {
    await withReplica({ slots: 1 }, async (replica) => {
      replica.setFaults(fault === "stall_after" ? { fault, after: tokens } : { fault });
      const gone = new AbortController();
      const response = await post(replica, path, streamed, gone.signal);
      expect(response.status).toBe(200);
      const [record] = replica.requests();
      await until(() => record?.generated_tokens === tokens);
      expect(await (await fetch(`${replica.url}/metrics`)).text()).toMatch(
        /num_requests_running\{[^}]*Llama[^}]*\} 1/,
      );
      gone.abort();
      await until(() => record?.state === "aborted");
      expect(record?.generated_tokens).toBe(tokens);
      replica.setFaults();
      expect((await post(replica, path, whole)).status).toBe(200);
    });
  });

  test.each([
    { fault: "stall_before_first", delay_ms: 10 },
    { fault: "stall_after", after: 2, delay_ms: 10 },
  ] as const)("a stall with a time goes on after it, and loses no token ($fault)", async (fault) => {
    await withReplica({}, async (replica) => {
      const unharmed = await contentsUntilEnd(replica);
      replica.clearRequests();
      replica.setFaults(fault);
      const { contents } = unharmed;
      expect(await contentsUntilEnd(replica)).toMatchObject({ contents, cut: false });
      expect(replica.requests()[0]?.state).toBe("completed");
    });
  });
});

describe("over HTTP", () => {
  test("faults are set, listed, refused and cleared", async () => {
    await withReplica({}, async (replica) => {
      const faults = `${replica.url}/_dev/faults`;
      expect((await post(replica, "/_dev/faults", { fault: "explode" })).status).toBe(400);
      await post(replica, "/_dev/faults", { fault: "status", status: 503, times: null });
      expect(await (await fetch(faults)).json()).toMatchObject({
        faults: [{ fault: "status", status: 503 }],
      });
      expect((await post(replica, path, whole)).status).toBe(503);
      expect(await (await fetch(faults, { method: "DELETE" })).json()).toEqual({ faults: [] });
      expect((await post(replica, path, whole)).status).toBe(200);
    });
  });

  test("requests are shown with headers, body and what became of them, and forgotten", async () => {
    await withReplica({}, async (replica) => {
      await (await post(replica, path, whole)).text();
      const url = `${replica.url}/_dev/requests`;
      const { requests } = (await (await fetch(url)).json()) as { requests: Record<string, unknown>[] };
      expect(requests).toHaveLength(1);
      expect(requests[0]).toMatchObject({
        path,
        body: whole,
        state: "completed",
        status: 200,
        headers: { "content-type": "application/json" },
      });
      await fetch(url, { method: "DELETE" });
      expect(replica.requests()).toEqual([]);
    });
  });

  test("a quiet replica keeps nothing", async () => {
    await withReplica({ quiet: true }, async (replica) => {
      for (let at = 0; at < 2; at++) await (await post(replica, path, whole)).text();
      expect(await (await fetch(`${replica.url}/_dev/requests`)).json()).toEqual({
        recording: false,
        requests: [],
      });
    });
  });

  test("speed and slots change while it runs", async () => {
    await withReplica({}, async (replica) => {
      const answer = await post(replica, "/_dev/speed", { token_ms: 3, ttft_ms: 4, slots: 5 });
      expect(await answer.json()).toMatchObject({ token_ms: 3, ttft_ms: 4, slots: 5 });
    });
  });
});

describe("a client that goes", () => {
  test("in mid-stream stops the generation and frees its slot", async () => {
    await withReplica({ slots: 1, tokenMs: 1 }, async (replica) => {
      const gone = new AbortController();
      const response = await post(
        replica,
        path,
        chat("count to 100000", { stream: true, max_tokens: 20_000 }),
        gone.signal,
      );
      const [record] = replica.requests();
      await until(() => (record?.generated_tokens ?? 0) >= 3);
      gone.abort();
      await until(() => record?.state === "aborted");
      expect(record?.generated_tokens).toBeLessThan(10_000);
      // With one slot, the next could not be answered had the first kept it.
      expect((await post(replica, path, chat("Hi", { max_tokens: 2 }))).status).toBe(200);
      expect(response.status).toBe(200);
      const metrics = await (await fetch(`${replica.url}/metrics`)).text();
      expect(metrics).toMatch(/request_success_total\{[^}]*Llama[^}]*finished_reason="abort"\} 1/);
    });
  });

  test("while it waits leaves the queue", async () => {
    await withReplica({ slots: 1 }, async (replica) => {
      replica.setFaults({ fault: "stall_before_first", times: 1 });
      const first = new AbortController();
      const holding = await post(replica, path, streamed, first.signal);
      const second = new AbortController();
      const waiting = post(replica, path, whole, second.signal);
      const refused = expect(waiting).rejects.toThrow(/abort/i);
      await until(() => replica.requests().length === 2);
      second.abort();
      await refused;
      const record = replica.requests()[1];
      await until(() => record?.state === "aborted");
      expect(record?.generated_tokens).toBe(0);
      first.abort();
      await expect(holding.text()).rejects.toThrow(/abort/i);
    });
  });
});
