import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fleetGauges, poolsMissingMetric } from "../../src/shared/telemetry/metrics/fleet-gauges.ts";
import {
  bucketBoundsMs,
  familyOf,
  metricIds,
  shardsMissingMetric,
} from "../../src/shared/telemetry/metrics/metric-table.ts";

test("docs/metrics.md names every metric with its type and labels, and no other", () => {
  const page = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8");
  const written = [...page.matchAll(/^\| `(edgewise_\w+)(?:\{([\w,]*)\})?` \| (\w+) \|/gm)].map(
    ([, name, labels = "", type]) => `${name} ${labels} ${type}`,
  );
  const table = metricIds.map((id) => {
    const { name, labels, type } = familyOf(id);
    return `${name} ${labels.join(",")} ${type}`;
  });
  const gauges = fleetGauges.map(({ name, labels }) => `${name} ${labels.join(",")} gauge`);
  const missing = [shardsMissingMetric, poolsMissingMetric].map(({ name }) => `${name}  gauge`);
  expect(written.sort()).toEqual([...table, ...gauges, ...missing].sort());
  expect(page).toContain(bucketBoundsMs.map((ms) => ms / 1000).join(", "));
});
