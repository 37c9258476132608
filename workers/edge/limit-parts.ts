/** Limits as this Worker binds them: buckets, regional stocks, and what is told of them. */
import { createStockDraw } from "../../durable-objects/regional-stock/stock-draw.ts";
import type { DeskOptions } from "../../src/shared/limits/desk-options.ts";
import { createLimitDesk, type LimitDesk } from "../../src/shared/limits/limit-desk.ts";
import { randomHex } from "../../src/shared/telemetry/correlation.ts";
import type { MetricRecorder } from "../../src/shared/telemetry/metrics/metric-recorder.ts";
import { startTimer } from "./timers.ts";
import { report, writeLines } from "./worker-log.ts";

/** Makes desks: one with loans for the isolate, and one without for each turn inside an object. */
export function deskMaker(
  env: Cloudflare.Env,
  call: DeskOptions["call"],
  now: () => number,
  metrics: MetricRecorder,
): (takesLoans: boolean) => LimitDesk {
  return (takesLoans) =>
    createLimitDesk({
      call,
      now,
      setTimer: startTimer,
      random: Math.random,
      newId: () => randomHex(16),
      takesLoans,
      regions: {
        draw: createStockDraw(env.REGIONAL_STOCK),
        drawn: (outcome, detail) => {
          metrics.count("regionalDraws", outcome);
          if (detail !== undefined) report("regional stock", detail);
        },
      },
      events: limitEvents(metrics),
    });
}

function limitEvents(metrics: MetricRecorder): DeskOptions["events"] {
  return {
    slow: (scope) => metrics.count("bucketSlow", scope),
    unreachable: (scope, detail) => {
      metrics.count("bucketUnreachable", scope);
      report(`${scope} bucket`, detail);
    },
    openAdmission: (admission) => {
      metrics.count("openAdmissions", admission.scope);
      writeLines(JSON.stringify({ event: "open-admission", ...admission }));
    },
    settlementsLost: (count) => {
      metrics.count("settlementsLost", "", count);
      report("bucket", `${count} settlements lost: their reservations stay charged`);
    },
  };
}
