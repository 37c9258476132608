/** Writes the panels for Grafana, in its JSON model of a dashboard: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/ */
import type { Panel } from "./panel.ts";
import { firing, rows } from "./panels.ts";
import type { Question } from "./questions.ts";

/** The width of a row. */
const columns = 24;
const leastWidth = 6;

/** One panel on each line, for readable diffs. */
export function dashboardJson(): string {
  const { panels, ...rest } = dashboard();
  const lines = panels.map((panel) => JSON.stringify(panel)).join(",\n");
  const head = JSON.stringify(rest, null, 2).slice(0, -2);
  return `${head},\n  "panels": [\n${lines}\n  ]\n}\n`;
}

function dashboard() {
  return {
    uid: "edgewise",
    title: "Edgewise",
    description: "docs/metrics.md says what each metric means.",
    tags: ["edgewise"],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    timezone: "browser",
    templating: {
      list: [{ name: "datasource", label: "Prometheus", type: "datasource", query: "prometheus" }],
    },
    annotations: {
      list: [
        {
          name: "Alerts",
          datasource,
          enable: true,
          iconColor: "red",
          expr: firing,
          titleFormat: "{{alertname}}",
        },
      ],
    },
    panels: allPanels(),
  };
}

/** The Prometheus chosen at the top of the dashboard. */
const datasource = { type: "prometheus", uid: "${datasource}" } as const;

function allPanels(): object[] {
  const all: object[] = [];
  let y = 0;
  for (const row of rows) {
    all.push({
      id: all.length + 1,
      type: "row",
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: columns, h: 1 },
      panels: [],
    });
    y += 1;
    // As wide as possible: two to four in a line, numbers all in one.
    const isNumbers = row.panels.every(({ kind }) => kind === "number");
    const lines = isNumbers ? 1 : Math.ceil((row.panels.length * leastWidth) / columns);
    const inLine = Math.ceil(row.panels.length / lines);
    const h = isNumbers ? 4 : 8;
    for (const [at, panel] of row.panels.entries()) {
      const line = Math.floor(at / inLine);
      const w = columns / Math.min(inLine, row.panels.length - line * inLine);
      const gridPos = { x: (at % inLine) * w, y: y + line * h, w, h };
      all.push({ id: all.length + 1, ...shown(panel), gridPos, targets: panel.asks.map(target) });
    }
    y += lines * h;
  }
  return all;
}

function target({ expr, legend }: Question, at: number) {
  return { refId: String.fromCodePoint(65 + at), datasource, expr, legendFormat: legend };
}

function shown({ title, kind, unit, about, yellowRed }: Panel) {
  const described = { title, ...(about === undefined ? {} : { description: about }), datasource };
  if (kind !== "number") {
    const custom = {
      lineWidth: 1,
      fillOpacity: kind === "stack" ? 25 : 5,
      showPoints: "never",
      stacking: { mode: kind === "stack" ? "normal" : "none" },
    };
    return {
      type: "timeseries",
      ...described,
      fieldConfig: { defaults: { unit, min: 0, custom }, overrides: [] },
      options: {
        legend: { displayMode: "list", placement: "bottom" },
        tooltip: { mode: "multi", sort: "desc" },
      },
    };
  }
  const [yellow, red] = yellowRed ?? [null, null];
  const steps = [
    { color: "green", value: null },
    ...(yellow === null ? [] : [{ color: "yellow", value: yellow }]),
    ...(red === null ? [] : [{ color: "red", value: red }]),
  ];
  return {
    type: "stat",
    ...described,
    fieldConfig: { defaults: { unit, thresholds: { mode: "absolute", steps } }, overrides: [] },
    options: { colorMode: "value", graphMode: "area", reduceOptions: { calcs: ["lastNotNull"] } },
  };
}
