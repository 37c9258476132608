import { expect, test } from "vitest";
import { limitSet } from "./defaults.ts";
import { type BucketBatch, noAmounts, type SettleOperation } from "./bucket-protocol.ts";
import { world } from "./limit-desk-fixture.ts";
import { ReportLine } from "./report-line.ts";
import { exposition } from "../telemetry/metrics/exposition.ts";
import { MetricSums } from "../telemetry/metrics/metric-sums.ts";
import { isolateBounds } from "../telemetry/metrics/metric-series.ts";

const settlement = (id: string): SettleOperation => ({
  type: "settle",
  id,
  receipt: null,
  sequence: 1,
  used: noAmounts,
  models: [],
  held: noAmounts,
  granted: noAmounts,
  ended: false,
});

test("a full batch leaves at once, also where the request that was gathering it was reset", async () => {
  const { tenant, options } = world();
  const sent: BucketBatch[] = [];
  const call = (_address: unknown, batch: BucketBatch) => {
    sent.push(batch);
    return new Promise<never>(() => undefined);
  };
  // The first request is gone: what it began never goes on, its timer included.
  const lost = { ...options, call, setTimer: () => () => undefined };
  const line = new ReportLine(lost, { name: "t/user/u", jurisdiction: "none" }, () => {
    throw new Error("nothing answers here");
  });
  const background = { run: () => undefined };
  const limits = limitSet(tenant, []);
  for (let at = 0; at < 63; at += 1) line.add(settlement(`c${at}`), limits, background);
  expect(sent).toEqual([]);
  line.add(settlement("c63"), limits, background);
  expect(sent.map(({ operations }) => operations.length)).toEqual([64]);
});

test("what is kept beyond the bound for a bucket that never answers is told as lost, to the last, and moves what the alert asks for", async () => {
  const { tenant, options } = world();
  const sums = new MetricSums(isolateBounds);
  const started: Promise<unknown>[] = [];
  const line = new ReportLine(
    {
      ...options,
      call: () => Promise.reject(new Error("away")),
      setTimer: (fire) => {
        queueMicrotask(fire);
        return () => undefined;
      },
      events: { ...options.events, settlementsLost: (count) => sums.count("settlementsLost", "", count) },
    },
    { name: "t/user/u", jurisdiction: "none" },
    () => undefined,
  );
  const background = { run: (_name: string, work: Promise<unknown>) => void started.push(work) };
  const lostOf = () =>
    /^edgewise_settlements_lost_total (\d+)$/m.exec(exposition({ sums, missing: [] }))?.[1];
  const add = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at += 1) line.add(settlement(`c${at}`), limitSet(tenant, []), background);
    while (started.length > 0) await Promise.all(started.splice(0));
  };
  await add(4_096);
  // There from the start, at 0: an alert by `increase` sees no counter that begins with its first event.
  expect(lostOf()).toBe("0");
  await add(5);
  expect(lostOf()).toBe("5");
  expect(line.isPending).toBe(true);
});
