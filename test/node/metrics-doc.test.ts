import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
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
  expect(written.sort()).toEqual([...table, `${shardsMissingMetric.name}  gauge`].sort());
  expect(page).toContain(bucketBoundsMs.map((ms) => ms / 1000).join(", "));
});
