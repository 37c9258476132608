/** The labels of `edgewise_injections_total`: who wrote the message, and what was done about it. */
import type { InjectionFinding } from "../../safety/injection/screen-injection.ts";
import { keySeparator } from "./metric-series.ts";

const results = { flag: "flagged", strip: "stripped", block: "blocked" } as const;

export function injectionLabels({ kind, action }: InjectionFinding["span"]): string {
  return `${kind === "injection-data" ? "data" : "user"}${keySeparator}${results[action]}`;
}
