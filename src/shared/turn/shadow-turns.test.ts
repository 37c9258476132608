import { expect, test } from "vitest";
import demo from "../../../config/tenants/demo.json" with { type: "json" };
import { fakeFleet, fakeRequest } from "../../../test/workers/fake-replicas.ts";
import type { RequestId } from "../contracts/ids.ts";
import { err, ok } from "../contracts/result.ts";
import { TokenCalibration } from "../prompt/token-calibration.ts";
import { readDispatch, writeDispatch } from "../routing/envelope.ts";
import { buildFleetIndex } from "../routing/fleet/fleet-index.ts";
import type { Origin, OriginAnswer, OriginRequest } from "../routing/ports.ts";
import { checkTenantConfig } from "../tenancy/tenant-entries.ts";
import { askedChat } from "./asked-chat.ts";
import { longestShadowMs, ShadowTurns, type ShadowEnd } from "./shadow-turns.ts";

const checked = checkTenantConfig(demo);
if (!checked.ok) throw new Error(checked.error);
const tenant = checked.value;
const model = theModel();
function theModel() {
  const [one] = buildFleetIndex(fakeFleet(1)).names.get("m") ?? [];
  if (one === undefined) throw new Error("no model");
  return one;
}

/** A clock whose timers are fired by hand. */
function mount(dispatch: Origin["dispatch"]) {
  const timers = new Set<{ readonly callback: () => void; readonly ms: number }>();
  const ends: ShadowEnd[] = [];
  const works: Promise<unknown>[] = [];
  const requests: OriginRequest[] = [];
  let nowMs = 0;
  const shadows = new ShadowTurns({
    now: () => nowMs,
    setTimer(callback, ms) {
      const timer = { callback, ms };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    onEnd: (end) => ends.push(end),
  });
  const means = {
    origin: {
      dispatch: (request: OriginRequest, signal: AbortSignal) => {
        requests.push(request);
        return dispatch(request, signal);
      },
      probe: () => Promise.resolve(true),
    },
    calibration: new TokenCalibration(),
    background: { run: (_name: string, work: Promise<unknown>) => void works.push(work.catch(() => null)) },
  };
  return {
    ends,
    requests,
    pass: (ms: number): void => void (nowMs += ms),
    mirror: (share = 1, change: { id?: string; maxAtOnce?: number; tools?: boolean } = {}): void => {
      const tools = change.tools ? { tools: [{ type: "function", function: { name: "f" } }] as const } : {};
      shadows.mirror(
        {
          turn: {
            asked: askedChat({
              model: "auto",
              messages: [{ role: "user", content: "Hi" }],
              ...(tools as object),
            }),
            tenant,
            requestId: (change.id ?? "r1") as RequestId,
          },
          route: { alias: "auto", shadow: { model, share, maxAtOnce: change.maxAtOnce ?? 4 } },
          request: fakeRequest(["elsewhere"], { requestId: change.id ?? "r1", model: "other" }),
          history: [],
          grounding: null,
          cacheSalt: "salt",
        },
        means,
      );
    },
    /** Fires the timers that are due within so long. */
    fire: async (ms: number): Promise<void> => {
      for (const timer of timers) if (timer.ms <= ms && timers.delete(timer)) timer.callback();
      // What was waiting for them goes on.
      for (let turns = 0; turns < 30; turns += 1) await Promise.resolve();
    },
    settled: () => Promise.all(works),
  };
}

const done = 'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":42}}\n\ndata: [DONE]\n\n';

function answer(body: ReadableStream<Uint8Array> | string, reports: string[] = []): OriginAnswer {
  const stream = typeof body === "string" ? new Response(body).body : body;
  return {
    status: 200,
    contentType: "text/event-stream",
    text: null,
    firstChunk: null,
    body: stream,
    cluster: "c0",
    replica: "r0",
    attempts: 1,
    arrived: () => undefined,
    report: (outcome) => void reports.push(outcome),
  };
}

test("a copy is the same question in the shadow's own words, and says that it is one", async () => {
  const { mirror, fire, settled, requests, ends } = mount(() => Promise.resolve(ok(answer(done))));
  mirror();
  expect(requests).toEqual([]);
  await fire(0);
  await settled();
  expect(requests).toMatchObject([
    {
      shadow: true,
      requestId: "shadow-r1",
      clusters: ["c0"],
      model: "m",
      stream: true,
      deadlineMs: longestShadowMs,
    },
  ]);
  expect(JSON.parse(requests[0]?.body ?? "")).toMatchObject({
    model: "M",
    messages: [{ role: "system" }, { role: "user", content: "Hi" }],
    cache_salt: "salt",
  });
  expect(ends).toEqual([
    { alias: "auto", model: "m", result: "answered", durationMs: 0, generatedTokens: 42 },
  ]);
});

test("a copy of a request whose client gave it the longest id passes to a router behind its binding, too", async () => {
  const { mirror, requests, fire } = mount(() =>
    Promise.resolve(err({ kind: "overloaded", retryAfterMs: 1 })),
  );
  mirror(1, { id: "x".repeat(128) });
  await fire(0);
  const [request] = requests;
  if (request === undefined) throw new Error("nothing was copied");
  expect(readDispatch(writeDispatch(request)).ok).toBe(true);
  expect(request.requestId).toMatch(/^shadow-x+$/);
});

test("the share is kept over many requests, and the same request is always copied or never", async () => {
  const { mirror, fire, requests } = mount(() => Promise.resolve(ok(answer(done))));
  for (let at = 0; at < 10_000; at += 1) {
    mirror(0.05, { id: `request-${at}`, maxAtOnce: 100_000 });
    mirror(0.05, { id: `request-${at}`, maxAtOnce: 100_000 });
  }
  await fire(0);
  expect(Math.abs(requests.length / 20_000 - 0.05)).toBeLessThan(0.01);
  expect(requests.length % 2).toBe(0);
});

test("a shadow whose router never answers is cut, and its place is free again", async () => {
  const { mirror, fire, settled, ends, pass } = mount(
    (_request, signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve(err({ kind: "client-gone" })));
      }),
  );
  mirror(1, { maxAtOnce: 1 });
  await fire(0);
  mirror(1, { maxAtOnce: 1, id: "r2" });
  expect(ends.map(({ result }) => result)).toEqual(["skipped"]);
  pass(longestShadowMs);
  await fire(longestShadowMs);
  await settled();
  expect(ends.at(-1)).toMatchObject({ result: "cut", durationMs: longestShadowMs });
  mirror(1, { maxAtOnce: 1, id: "r3" });
  expect(ends.filter(({ result }) => result === "skipped")).toHaveLength(1);
});

test("a shadow that falls silent in mid-answer is cut, even where its stream ignores the abort", async () => {
  const reports: string[] = [];
  const silent = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode('data: {"choices":[]}\n\n')),
    pull: () => new Promise(() => undefined),
  });
  const { mirror, fire, settled, ends } = mount(() => Promise.resolve(ok(answer(silent, reports))));
  mirror();
  await fire(0);
  await fire(longestShadowMs);
  await settled();
  expect(ends).toMatchObject([{ result: "cut" }]);
  expect(reports[0]).toBe("client-gone");
});

test.each([
  [
    "the router refuses",
    () => Promise.resolve(err({ kind: "origin-unavailable", retryAfterMs: 1, detail: "" } as const)),
    "failed",
  ],
  [
    "no replica has room",
    () => Promise.resolve(err({ kind: "overloaded", retryAfterMs: 1 } as const)),
    "skipped",
  ],
  ["the router throws", () => Promise.reject(new Error("down")), "failed"],
  ["the stream breaks", () => Promise.resolve(ok(answer('data: {"choices":[]}\n\n'))), "failed"],
  ["it says more than 2 MB", () => Promise.resolve(ok(answer(`data: ${"x".repeat(3_000_000)}`))), "cut"],
] as const)("where %s, that is a number and nothing else", async (_sentence, dispatch, result) => {
  const { mirror, fire, settled, ends } = mount(dispatch);
  expect(() => mirror()).not.toThrow();
  await fire(0);
  await settled();
  expect(ends).toMatchObject([{ result }]);
});

test("a model that lacks what is asked gets no copy", async () => {
  const { mirror, fire, settled, ends, requests } = mount(() => Promise.resolve(ok(answer(done))));
  mirror(1, { tools: true });
  await fire(0);
  await settled();
  expect(requests).toEqual([]);
  expect(ends).toMatchObject([{ result: "unfit" }]);
});

test("copies whose request was torn down hold their places for a minute at most", () => {
  const { mirror, ends, pass } = mount(() => new Promise(() => undefined));
  mirror(1, { maxAtOnce: 1, id: "a" });
  mirror(1, { maxAtOnce: 1, id: "b" });
  expect(ends).toHaveLength(1);
  pass(60_000);
  mirror(1, { maxAtOnce: 1, id: "c" });
  expect(ends).toHaveLength(1);
});
