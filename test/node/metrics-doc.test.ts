import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dashboardJson } from "../../dev/dashboard/grafana.ts";
import { rows } from "../../dev/dashboard/panels.ts";
import { faultClasses } from "../../src/shared/telemetry/metrics/error-class.ts";
import { stageNames } from "../../src/shared/telemetry/request-record.ts";
import { fleetGauges, poolsMissingMetric } from "../../src/shared/telemetry/metrics/fleet-gauges.ts";
import { bucketBoundsMs } from "../../src/shared/telemetry/metrics/metric-series.ts";
import { familyOf, metricIds, shardsMissingMetric } from "../../src/shared/telemetry/metrics/metric-table.ts";

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
  const stages = /^\| `stage` \| (.*?)\./m.exec(page)?.[1] ?? "";
  expect(new Set([...stages.matchAll(/`(\w+)`/g)].map(([, stage]) => stage))).toEqual(new Set(stageNames));
});

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const rules = read("config/alerts/edgewise.rules.yml");

test("the alerts and the dashboard ask for metrics, labels and values that there are", () => {
  const labelsOf = new Map<string, readonly string[]>();
  const valuesOf = new Map<string, readonly string[]>();
  for (const id of metricIds) {
    const family = familyOf(id);
    const { name, labels } = family;
    if (family.type === "counter") {
      labelsOf.set(name, labels);
      if (family.values !== undefined) valuesOf.set(name, family.values);
    } else for (const part of ["bucket", "sum", "count"]) labelsOf.set(`${name}_${part}`, [...labels, "le"]);
  }
  for (const { name, labels } of fleetGauges) labelsOf.set(name, labels);
  for (const { name } of [shardsMissingMetric, poolsMissingMetric]) labelsOf.set(name, []);
  const panels = rows.flatMap((row) =>
    row.panels.flatMap(({ asks }) => asks.map((ask) => [ask.expr, ask.legend].join("\n"))),
  );
  const advice = /^ *look: .*$/gm;
  const alerts = rules.replaceAll(advice, "").split("- alert:").slice(1);
  const shown = new Set<string>();
  const withoutPart = (name: string): string => name.replace(/_(bucket|sum|count)$/, "");
  for (const text of [...alerts, ...panels]) {
    const known: string[] = [];
    for (const [asked, name = "", matchers = ""] of text.matchAll(/\b(edgewise_\w+)(?:\{([^}]*)\})?/g)) {
      if (!alerts.includes(text)) shown.add(withoutPart(name));
      const labels = labelsOf.get(name);
      expect(labels, asked).toBeDefined();
      known.push(...(labels ?? []));
      for (const [, label = "", values = ""] of matchers.matchAll(/(\w+)(?:=~|!=|!~|=)"([^"]*)"/g)) {
        expect(labels, asked).toContain(label);
        for (const value of values.split("|")) expect(valuesOf.get(name) ?? [value], asked).toContain(value);
      }
    }
    // What they sum up by, and what their sentences name: labels of the metrics of the same one.
    for (const [, list = ""] of text.matchAll(/by \(([^)]*)\)/g))
      for (const label of list.split(", ")) expect(known, text).toContain(label);
    for (const [, label = ""] of text.matchAll(/\{\{(?: ?\$labels\.)?(\w+) ?\}\}/g))
      expect(known, text).toContain(label);
  }
  expect(alerts.length).toBeGreaterThan(10);
  const there = new Set([...labelsOf.keys()].map(withoutPart));
  for (const [text] of rules.matchAll(advice))
    for (const [name] of text.matchAll(/edgewise_\w+/g)) expect(there, text).toContain(name);
  // The dashboard leaves nothing out.
  expect(shown).toEqual(there);
});

test("the dashboard knows a turn in an object of its own by that object's record: its request names no model", () => {
  const exprs = rows.flatMap((row) => row.panels.flatMap(({ asks }) => asks.map(({ expr }) => expr)));
  const byModel = exprs.filter(
    (expr) => /\brequests_total\{|_requests_total\{/.test(expr) && /model(?:\)|!=)/.test(expr),
  );
  expect(byModel.length).toBeGreaterThan(1);
  for (const expr of byModel) expect(expr).not.toContain("generation");
});

test("a number of the dashboard that is a share is one also where there was nothing: Grafana goes on showing the last that it was", () => {
  const shares = rows.flatMap((row) =>
    row.panels.filter(({ kind }) => kind === "number").flatMap(({ asks }) => asks.map(({ expr }) => expr)),
  );
  for (const expr of shares.filter((asked) => asked.includes(" / ")))
    expect(expr).toMatch(/ \/ \(.* > 0\) or vector\(0\)$/);
});

test("what the alerts count as ours is what the code does", () => {
  const lists = [...rules.matchAll(/class=~"([^"]*)"/g)].map(([, list]) => list);
  expect(lists).toEqual([faultClasses.join("|"), faultClasses.join("|")]);
});

test("no alert waits for a series to rise that comes with its first count", () => {
  for (const [asked, name] of rules.matchAll(/increase\((edgewise_\w+)/g)) {
    const family = metricIds.map(familyOf).find((one) => one.name === name);
    const isThere =
      family?.labels.length === 0 || (family?.type === "counter" && family.values !== undefined);
    expect(isThere, asked).toBe(true);
  }
});

test("config/dashboards/edgewise.json is what the panels say (node dev/dashboard.ts writes it)", () => {
  expect(read("config/dashboards/edgewise.json")).toBe(dashboardJson());
  const { panels } = JSON.parse(dashboardJson()) as {
    panels: { gridPos: { x: number; y: number; w: number; h: number } }[];
  };
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
    expect(x + w).toBeLessThanOrEqual(24);
    return Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`);
  });
  expect(new Set(cells).size).toBe(cells.length);
});
