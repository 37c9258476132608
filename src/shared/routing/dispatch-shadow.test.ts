import { expect, test } from "vitest";
import { FakeReplicas, fakeFleet, fakeRequest, type Behaviour } from "../../../test/workers/fake-replicas.ts";
import { buildFleetIndex } from "./fleet/fleet-index.ts";
import { createOriginRouter } from "./origin-router.ts";
import { Poller } from "./poller.ts";
import { RouterState } from "./router-state.ts";

function mount(behaviour: Behaviour) {
  const replicas = new FakeReplicas();
  for (const host of ["c0r0.test", "c0r1.test"]) replicas.behaviour.set(host, behaviour);
  const state = new RouterState();
  const index = buildFleetIndex(fakeFleet(2));
  const works: string[] = [];
  const origin = createOriginRouter({
    callerRegisters: true,
    state,
    poller: new Poller(),
    fleet: index,
    transport: replicas.transport,
    background: { run: (name) => void works.push(name) },
    now: () => 0,
    random: () => 0,
    wait: () => Promise.reject(new Error("a shadow waited")),
  });
  const known = (state.clusters(index).get("c0")?.replicas ?? []).map((replica) => replica.known);
  const send = (signal = new AbortController().signal) =>
    origin.dispatch(fakeRequest(["c0"], { shadow: true }), signal);
  return { replicas, state, known, send, works };
}

test.each(["refuse", "500", "429", "error-event", "empty-body", "cut-before-body", "302"] as const)(
  "a shadow that fails by %s has one attempt, and no breaker, poll or retry budget hears of it",
  async (behaviour) => {
    const { replicas, state, known, send, works } = mount(behaviour);
    for (let times = 0; times < 20; times += 1) expect((await send()).ok).toBe(false);
    expect(replicas.calls).toHaveLength(20);
    for (const { breaker, occupancy } of known) {
      expect([breaker.state(0), breaker.score(0), breaker.waitMs(0)]).toEqual(["closed", 0, 0]);
      expect(occupancy).toEqual({ requests: 0, tokens: 0 });
    }
    expect(state.inFlight.size).toBe(0);
    expect(works).toEqual([]);
  },
);

test("an answer's load is counted while it runs, and given back once", async () => {
  const { known, send } = mount("well");
  const result = await send();
  if (!result.ok) throw new Error(result.error.kind);
  expect(known[0]?.occupancy.requests).toBe(1);
  result.value.report("done");
  result.value.report("done");
  expect(known[0]?.occupancy.requests).toBe(0);
});

test("where half of the slots are taken, or the breaker is not closed, there is no room for copies", async () => {
  const { replicas, state, known, send } = mount("well");
  const [first, second] = known;
  if (first === undefined || second === undefined) throw new Error("two replicas");
  // Four slots each.
  for (let taken = 0; taken < 2; taken += 1) state.inFlight.take(first.occupancy, 1, 0);
  for (let failures = 0; failures < 3; failures += 1) second.breaker.failure("refused", 0);
  expect(await send()).toMatchObject({ ok: false, error: { kind: "overloaded" } });
  expect(replicas.calls).toEqual([]);
});

test("a copy that is given up aborts the engine", async () => {
  const { replicas, send, known } = mount("stall-before-headers");
  const controller = new AbortController();
  const sent = send(controller.signal);
  controller.abort();
  expect(await sent).toMatchObject({ ok: false, error: { kind: "client-gone" } });
  expect(replicas.calls.map(({ aborted }) => aborted)).toEqual([true]);
  expect(known[0]?.occupancy.requests).toBe(0);
});
