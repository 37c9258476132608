import { expect, test } from "vitest";
import { giveUpAfterMs, type MetricDelivery, rememberSourceMs } from "./hub-protocol.ts";
import { HubState, maxSources } from "./hub-state.ts";

function hits(source: string, sequence: number, count = 1): MetricDelivery {
  return {
    v: 1,
    source,
    acknowledge: "soon",
    batches: [{ sequence, sums: [{ metric: "cache", series: [{ labels: "hit", values: [count] }] }] }],
  };
}

function total(hub: HubState): number {
  return hub.reading().sums[0]?.series[0]?.values[0] ?? 0;
}

test("a snapshot contains the sums and each isolate's last counted batch", () => {
  const hub = new HubState(null);
  hub.apply(hits("a", 1, 3), 1_000);
  hub.apply(hits("a", 2, 4), 1_000);
  const again = new HubState(hub.snapshot(1_000));
  expect(again.apply(hits("a", 2, 4), 2_000)).toEqual({ ok: true, value: { through: 2, changed: false } });
  expect(total(again)).toBe(7);
});

test("an isolate is remembered for longer than it sends a batch again, and forgotten after", () => {
  const hub = new HubState(null);
  hub.apply(hits("a", 1), 0);
  const kept = new HubState(hub.snapshot(giveUpAfterMs + 60_000));
  kept.apply(hits("a", 1), giveUpAfterMs + 60_000);
  expect(total(kept)).toBe(1);
  expect(hub.snapshot(rememberSourceMs)).not.toContain('"a"');
});

test("isolates beyond the maximum must try again and are not counted, and the snapshot stays below SQLite's 2 MB", () => {
  const hub = new HubState(null);
  for (let at = 0; at < maxSources; at += 1) hub.apply(hits(at.toString(16).padStart(24, "0"), 1), 1.7e12);
  expect(hub.apply(hits("one more", 1), 1.7e12)).toEqual({ ok: false, error: { result: "full" } });
  expect(total(hub)).toBe(maxSources);
  expect(hub.snapshot(1.7e12).length).toBeLessThan(1_300_000);
  expect(hub.apply(hits("one more", 1), 1.7e12 + rememberSourceMs)).toMatchObject({ ok: true });
});

test("a message of another version is refused, not guessed", () => {
  const message = { ...hits("a", 1), v: 2 } as unknown as MetricDelivery;
  expect(new HubState(null).apply(message, 0)).toEqual({
    ok: false,
    error: { result: "version-unsupported", supported: 1 },
  });
  expect(() => new HubState('{"v":2}')).toThrow("version 2");
});
