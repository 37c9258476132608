/** Writes the dashboard for Grafana, config/dashboards/edgewise.json; test/node/metrics-doc.test.ts holds it to the panels. */
import { writeFileSync } from "node:fs";
import { dashboardJson } from "./dashboard/grafana.ts";

writeFileSync(new URL("../config/dashboards/edgewise.json", import.meta.url), dashboardJson());
