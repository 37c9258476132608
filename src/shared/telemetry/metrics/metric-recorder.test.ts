import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Background } from "../../contracts/background.ts";
import { giveUpAfterMs, type DeliveryOutcome, type MetricDelivery } from "./hub-protocol.ts";
import { HubState } from "./hub-state.ts";
import { MetricRecorder } from "./metric-recorder.ts";
import { requestRecord } from "./request-record-fixture.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A hub with scripted answers; it may have counted a batch without answering. */
class Link {
  readonly hub = new HubState(null);
  readonly sent: MetricDelivery[] = [];
  readonly faults: unknown[] = [];
  deliver: (delivery: MetricDelivery) => Promise<DeliveryOutcome> = async (delivery) =>
    this.counted(delivery);
  readonly recorder = new MetricRecorder({
    source: "isolate",
    deliver: (delivery) => {
      this.sent.push(delivery);
      return this.deliver(delivery);
    },
    now: () => Date.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  readonly background: Background = {
    run: (_name, work) => void work.catch((error: unknown) => this.faults.push(error)),
  };

  counted(delivery: MetricDelivery): DeliveryOutcome {
    const applied = this.hub.apply(structuredClone(delivery), Date.now());
    return applied.ok ? { result: "kept", through: applied.value.through } : applied.error;
  }

  record(count = 1): void {
    for (let at = 0; at < count; at += 1) this.recorder.record(requestRecord(), this.background);
  }

  get requests(): number {
    const family = this.hub.reading().sums.find(({ metric }) => metric === "requests");
    return family?.series.reduce((sum, { values }) => sum + (values[0] ?? 0), 0) ?? 0;
  }

  get inDoubt(): number {
    const family = this.hub.reading().sums.find(({ metric }) => metric === "batchesInDoubt");
    return family?.series[0]?.values[0] ?? 0;
  }
}

test("many records are one delivery, a second later; later ones the next", async () => {
  const link = new Link();
  link.record(500);
  await vi.advanceTimersByTimeAsync(1_000);
  expect([link.sent.length, link.requests]).toEqual([1, 500]);
  link.record(3);
  await vi.advanceTimersByTimeAsync(1_000);
  expect([link.sent.length, link.requests]).toEqual([2, 503]);
});

test("records that come while a delivery is under way promise the next one, without another request", async () => {
  const link = new Link();
  const answered = Promise.withResolvers<void>();
  link.deliver = async (delivery) => {
    await answered.promise;
    return link.counted(delivery);
  };
  link.record();
  await vi.advanceTimersByTimeAsync(1_500);
  link.record();
  answered.resolve();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(link.requests).toBe(2);
});

test("whether the message or its answer was lost, what is sent again counts once", async () => {
  for (const loses of ["message", "answer"]) {
    const link = new Link();
    link.deliver = async (delivery) => {
      if (loses === "answer") link.counted(delivery);
      throw new Error("connection lost");
    };
    link.record(2);
    await vi.advanceTimersByTimeAsync(1_000);
    link.record(3);
    await vi.advanceTimersByTimeAsync(10_000);
    link.deliver = async (delivery) => link.counted(delivery);
    link.record(4);
    await vi.advanceTimersByTimeAsync(10_000);
    await link.recorder.flush();
    expect([loses, link.requests]).toEqual([loses, 9]);
    expect(link.faults.length).toBeGreaterThan(0);
  }
});

test("a flush whose request was reset, so that it never ends, is made up for by the next record", async () => {
  const link = new Link();
  link.deliver = () => new Promise(() => undefined);
  link.record(2);
  await vi.advanceTimersByTimeAsync(1_000);
  link.deliver = async (delivery) => link.counted(delivery);
  link.record(1);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(link.requests).toBe(3);

  const lost: Background = { run: () => undefined };
  const sleepless = new Link();
  const recorder = new MetricRecorder({
    source: "isolate",
    deliver: async (delivery) => sleepless.counted(delivery),
    now: () => Date.now(),
    sleep: () => new Promise(() => undefined),
  });
  recorder.record(requestRecord(), lost);
  await vi.advanceTimersByTimeAsync(3_000);
  recorder.record(requestRecord(), lost);
  await recorder.flush();
  expect(sleepless.requests).toBe(2);
});

test("a promised flush that is overdue is promised again", async () => {
  const promised: string[] = [];
  const recorder = new MetricRecorder({
    source: "isolate",
    deliver: async () => ({ result: "full" }),
    now: () => Date.now(),
    sleep: () => new Promise(() => undefined),
  });
  const background: Background = { run: (name) => void promised.push(name) };
  recorder.record(requestRecord(), background);
  recorder.record(requestRecord(), background);
  expect(promised).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2_000);
  recorder.record(requestRecord(), background);
  expect(promised).toHaveLength(2);
});

test("while the hub is gone, tries become rarer, few batches are frozen, and everything arrives when it is back", async () => {
  const link = new Link();
  link.deliver = async () => {
    throw new Error("unreachable");
  };
  for (let second = 0; second < 120; second += 1) {
    link.record(10);
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(link.sent.length).toBeLessThan(25);
  expect(Math.max(...link.sent.map(({ batches }) => batches.length))).toBe(2);
  link.deliver = async (delivery) => link.counted(delivery);
  await link.recorder.flush();
  expect(link.requests).toBe(1_200);
});

test("a batch that a silent shard may or may not have counted is given up after minutes, told, and never counted twice", async () => {
  const link = new Link();
  link.deliver = async (delivery) => {
    link.counted(delivery);
    throw new Error("answers are lost");
  };
  link.record(5);
  await vi.advanceTimersByTimeAsync(1_000);
  await vi.advanceTimersByTimeAsync(giveUpAfterMs);
  link.deliver = async (delivery) => link.counted(delivery);
  link.record(2);
  await link.recorder.flush();
  expect([link.requests, link.inDoubt]).toEqual([7, 1]);
});
