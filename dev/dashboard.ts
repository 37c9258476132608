/** Writes the dashboard for Grafana, config/dashboards/edgewise.json; test/node/metrics-doc.test.ts compares it with the panels. */
import { writeFileSync } from "node:fs";
import { dashboardJson } from "./dashboard/grafana.ts";

writeFileSync(new URL("../config/dashboards/edgewise.json", import.meta.url), dashboardJson());
