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

test("the alerts ask for metrics and labels that there are", () => {
  const rules = readFileSync(new URL("../../config/alerts/edgewise.rules.yml", import.meta.url), "utf8");
  const labelsOf = new Map<string, readonly string[]>();
  for (const id of metricIds) {
    const { name, labels, type } = familyOf(id);
    labelsOf.set(name, labels);
    if (type === "histogram")
      for (const part of ["bucket", "sum", "count"]) labelsOf.set(`${name}_${part}`, [...labels, "le"]);
  }
  for (const { name, labels } of fleetGauges) labelsOf.set(name, labels);
  for (const { name } of [shardsMissingMetric, poolsMissingMetric]) labelsOf.set(name, []);
  const asked = [...rules.matchAll(/\b(edgewise_\w+)(?:\{([^}]*)\})?/g)];
  expect(asked.length).toBeGreaterThan(10);
  for (const [text, name = "", matchers = ""] of asked) {
    expect([...labelsOf.keys()], text).toContain(name);
    for (const [, label = ""] of matchers.matchAll(/(\w+)(?:=~|!=|!~|=)/g))
      expect(labelsOf.get(name), text).toContain(label);
  }
  // What they sum up by, and what their sentences name: labels of the metrics of the same alert.
  for (const alert of rules.split("- alert:").slice(1)) {
    const known = [...alert.matchAll(/edgewise_\w+/g)].flatMap(([name]) => labelsOf.get(name) ?? []);
    for (const [, list = ""] of alert.matchAll(/by \(([^)]*)\)/g))
      for (const label of list.split(", ")) expect(known, alert).toContain(label);
    for (const [, label = ""] of alert.matchAll(/\$labels\.(\w+)/g)) expect(known, alert).toContain(label);
  }
});
