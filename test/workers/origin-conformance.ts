/** What every mount of the origin router does, whatever lies between it and its caller. */
import { describe, expect, test } from "vitest";
import type { Fleet } from "../../src/shared/routing/fleet/fleet-config.ts";
import type { Breaker } from "../../src/shared/routing/breaker.ts";
import type { Origin, OriginAnswer } from "../../src/shared/routing/ports.ts";
import type { RouterState } from "../../src/shared/routing/router-state.ts";
import { FakeReplicas, fakeFleet, fakeRequest, invisibleFaults, sentChunks } from "./fake-replicas.ts";

export interface Mounted {
  readonly origin: Origin;
  readonly state: RouterState;
  /** Of the first cluster's first replica. */
  readonly breaker: () => Breaker | undefined;
  /** Resolves when the background work so far is over. */
  readonly settled: () => Promise<void>;
}

export function originConformance(
  mount: string,
  open: (fleet: Fleet, replicas: FakeReplicas) => Mounted,
): void {
  const never = (): AbortSignal => new AbortController().signal;

  async function text(answer: OriginAnswer): Promise<string> {
    const decoder = new TextDecoder();
    let text = answer.text ?? (answer.firstChunk === null ? "" : decoder.decode(answer.firstChunk));
    for await (const chunk of answer.body ?? []) text += decoder.decode(chunk);
    return text;
  }

  describe(`the origin router, ${mount}`, () => {
    test("gives the engine's bytes, whole and in order, and names who answered", async () => {
      const replicas = new FakeReplicas();
      const { origin, state, settled } = open(fakeFleet(1), replicas);
      const result = await origin.dispatch(fakeRequest(["c0"]), never());
      if (!result.ok) throw new Error(result.error.kind);
      expect(result.value).toMatchObject({ status: 200, cluster: "c0", replica: "r0", attempts: 1 });
      expect(result.value.contentType).toBe("text/event-stream; charset=utf-8");
      expect(await text(result.value)).toBe(sentChunks.join(""));
      result.value.report("done");
      await settled();
      expect(state.inFlight.size).toBe(0);
    });

    test("sends rebuilt headers only, and the body as it is", async () => {
      const replicas = new FakeReplicas();
      const { origin } = open(fakeFleet(1), replicas);
      const body = '{"model":"M","messages":[{"role":"user","content":"żółw 🐢"}]}';
      await origin.dispatch(fakeRequest(["c0"], { body }), never());
      expect(replicas.calls[0]?.body).toBe(body);
      expect(replicas.calls[0]?.headers).toEqual({
        accept: "text/event-stream",
        "content-type": "application/json",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "user-agent": "edgewise/0.1",
        "x-request-id": expect.stringMatching(/^request-1\.[0-9a-f]{8}$/),
      });
    });

    test("names each attempt to its engine by an id of its own, of 128 characters at most", async () => {
      const replicas = new FakeReplicas();
      const { origin } = open(fakeFleet(1), replicas);
      for (const requestId of ["same", "same", "long".repeat(32)])
        await origin.dispatch(fakeRequest(["c0"], { requestId }), never());
      const ids = replicas.calls.map(({ headers }) => headers["x-request-id"] ?? "");
      expect(new Set(ids).size).toBe(3);
      expect(ids.every((id) => id.length <= 128)).toBe(true);
    });

    test("gives a shadow's copy one attempt, and learns nothing from it", async () => {
      const replicas = new FakeReplicas();
      replicas.behaviour.set("c0r0.test", "500");
      const { origin, state, settled } = open(fakeFleet(1), replicas);
      for (let copies = 0; copies < 10; copies += 1)
        expect(await origin.dispatch(fakeRequest(["c0"], { shadow: true }), never())).toMatchObject({
          ok: false,
          error: { kind: "origin-unavailable" },
        });
      expect(replicas.calls).toHaveLength(10);
      replicas.behaviour.set("c0r0.test", "well");
      const real = await origin.dispatch(fakeRequest(["c0"]), never());
      if (!real.ok) throw new Error(real.error.kind);
      expect(real.value.attempts).toBe(1);
      await text(real.value);
      real.value.report("done");
      await settled();
      expect(state.inFlight.size).toBe(0);
    });

    test("lets what nobody waits for have three quarters of the slots, and people the rest", async () => {
      const replicas = new FakeReplicas();
      const { origin, settled } = open(fakeFleet(1), replicas);
      const send = (change: object) => origin.dispatch(fakeRequest(["c0"], change), never());
      const first = await Promise.all([1, 2, 3].map(() => send({ yields: true })));
      expect(first.map(({ ok }) => ok)).toEqual([true, true, true]);
      expect(await send({ yields: true })).toEqual({
        ok: false,
        error: { kind: "overloaded", retryAfterMs: 1000 },
      });
      const last = await send({});
      expect(last.ok).toBe(true);
      for (const answer of [...first, last]) {
        if (!answer.ok) continue;
        await text(answer.value);
        answer.value.report("done");
      }
      await settled();
      expect((await send({ yields: true })).ok).toBe(true);
    });

    for (const fault of invisibleFaults) {
      test(`hides "${fault}" before the first byte behind another replica`, async () => {
        const replicas = new FakeReplicas();
        replicas.behaviour.set("c0r0.test", fault);
        const { origin, state, settled } = open(fakeFleet(1, 1), replicas);
        for (let turn = 0; turn < 12; turn += 1) {
          const result = await origin.dispatch(fakeRequest(["c0", "c1"]), never());
          if (!result.ok) throw new Error(`${result.error.kind} in turn ${turn}`);
          expect(await text(result.value)).toBe(sentChunks.join(""));
          result.value.report("done");
        }
        expect(replicas.hosts).toContain("c0r0.test");
        await settled();
        expect(state.inFlight.size).toBe(0);
      });
    }

    test("does not retry what the engine calls wrong, and says so without the engine's quotes", async () => {
      for (const behaviour of ["bad-request", "bad-request-event"] as const) {
        const replicas = new FakeReplicas();
        for (const host of ["c0r0.test", "c1r0.test"]) replicas.behaviour.set(host, behaviour);
        const { origin } = open(fakeFleet(1, 1), replicas);
        const result = await origin.dispatch(fakeRequest(["c0", "c1"]), never());
        expect(result).toMatchObject({ ok: false, error: { kind: "origin-rejected", status: 400 } });
        expect(JSON.stringify(result)).not.toContain("temperature");
        expect(replicas.calls).toHaveLength(1);
      }
    });

    test("recognises a prompt over the window", async () => {
      const replicas = new FakeReplicas();
      replicas.behaviour.set("c0r0.test", "context-too-long");
      const { origin } = open(fakeFleet(1), replicas);
      const result = await origin.dispatch(fakeRequest(["c0"]), never());
      expect(result).toEqual({
        ok: false,
        error: { kind: "context-too-long", windowTokens: 4096, promptTokens: 4900, answerTokens: 100 },
      });
    });

    test("says overloaded when all are busy and unavailable when all are down", async () => {
      for (const [behaviour, kind] of [
        ["429", "overloaded"],
        ["500", "origin-unavailable"],
      ] as const) {
        const replicas = new FakeReplicas();
        replicas.behaviour.set("c0r0.test", behaviour);
        const { origin, state } = open(fakeFleet(1), replicas);
        const result = await origin.dispatch(fakeRequest(["c0"]), never());
        expect(result).toMatchObject({ ok: false, error: { kind } });
        expect(state.inFlight.size).toBe(0);
      }
    });

    test("says unavailable where no cluster of the request is in the fleet", async () => {
      const { origin } = open(fakeFleet(1), new FakeReplicas());
      const result = await origin.dispatch(fakeRequest(["elsewhere"]), never());
      expect(result).toMatchObject({ ok: false, error: { kind: "origin-unavailable" } });
    });

    test("aborts the engine when the client goes before the first byte", async () => {
      for (const behaviour of ["stall-before-headers", "stall-before-body"] as const) {
        const replicas = new FakeReplicas();
        replicas.behaviour.set("c0r0.test", behaviour);
        const { origin, state, settled } = open(fakeFleet(1), replicas);
        const client = new AbortController();
        const dispatched = origin.dispatch(fakeRequest(["c0"]), client.signal);
        await until(() => replicas.calls.length === 1);
        client.abort();
        expect(await dispatched).toEqual({ ok: false, error: { kind: "client-gone" } });
        await until(() => replicas.calls[0]?.aborted === true);
        await settled();
        expect(state.inFlight.size).toBe(0);
      }
    });

    test("aborts the engine when the client goes in mid-stream", async () => {
      const replicas = new FakeReplicas();
      replicas.behaviour.set("c0r0.test", "stall-after-first");
      const { origin, state, settled } = open(fakeFleet(1), replicas);
      const client = new AbortController();
      const result = await origin.dispatch(fakeRequest(["c0"]), client.signal);
      if (!result.ok) throw new Error(result.error.kind);
      expect(state.inFlight.size).toBe(1);
      client.abort();
      await until(() => replicas.calls[0]?.aborted === true);
      await settled();
      expect(state.inFlight.size).toBe(0);
    });

    test("aborts the engine when its reader reports that the client is gone", async () => {
      const replicas = new FakeReplicas();
      replicas.behaviour.set("c0r0.test", "stall-after-first");
      const { origin, state, settled } = open(fakeFleet(1), replicas);
      const result = await origin.dispatch(fakeRequest(["c0"]), never());
      if (!result.ok) throw new Error(result.error.kind);
      result.value.report("client-gone");
      await until(() => replicas.calls[0]?.aborted === true);
      await settled();
      expect(state.inFlight.size).toBe(0);
    });

    test("gives a body that breaks as a body that breaks", async () => {
      const replicas = new FakeReplicas();
      replicas.behaviour.set("c0r0.test", "cut-after-first");
      const { origin, state, settled } = open(fakeFleet(1), replicas);
      const result = await origin.dispatch(fakeRequest(["c0"]), never());
      if (!result.ok) throw new Error(result.error.kind);
      await expect(text(result.value)).rejects.toThrow();
      result.value.report("origin-error");
      await settled();
      expect(state.inFlight.size).toBe(0);
    });

    for (const [what, behaviour, stream] of [
      ["a stream that was cut off", "cut-short", true],
      ["another object in an answer's place", "another-object", false],
    ] as const)
      test(`learns that ${what} was none, though its last byte came`, async () => {
        const replicas = new FakeReplicas();
        replicas.behaviour.set("c0r0.test", behaviour);
        const { origin, state, breaker, settled } = open(fakeFleet(1), replicas);
        const result = await origin.dispatch(fakeRequest(["c0"], { stream }), never());
        if (!result.ok) throw new Error(result.error.kind);
        await text(result.value);
        result.value.report("origin-error");
        await settled();
        expect(breaker()?.takeOutcomes()).toEqual({ successes: 0, failures: { broken: 1 } });
        expect(state.inFlight.size).toBe(0);
      });

    test("counts an answer of which nobody says anything else as whole", async () => {
      const { origin, breaker, settled } = open(fakeFleet(1), new FakeReplicas());
      const result = await origin.dispatch(fakeRequest(["c0"]), never());
      if (!result.ok) throw new Error(result.error.kind);
      await text(result.value);
      result.value.report("done");
      await settled();
      expect(breaker()?.takeOutcomes()).toEqual({ successes: 1, failures: {} });
    });

    test("is ready for a name with a replica that is well, and for no other", async () => {
      const replicas = new FakeReplicas();
      const { origin } = open(fakeFleet(2), replicas);
      expect(await origin.probe("auto")).toBe(true);
      expect(await origin.probe("m")).toBe(true);
      expect(await origin.probe("elsewhere")).toBe(false);
      const down = new FakeReplicas();
      down.health = () => 503;
      expect(await open(fakeFleet(2), down).origin.probe("auto")).toBe(false);
    });
  });
}

/** Lets pending tasks run until the condition holds; the test's own time limit ends a wait in vain. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 0));
}
