import { expect, test } from "vitest";
import { limitSet } from "./defaults.ts";
import { type BucketBatch, noAmounts, type SettleOperation } from "./bucket-protocol.ts";
import { world } from "./limit-desk-fixture.ts";
import { ReportLine } from "./report-line.ts";

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
