/** This Worker's log: request records and faults are written where Workers Logs collects them. */
import type { ReportFault } from "../../src/shared/contracts/report-fault.ts";

export function writeLines(text: string): void {
  // oxlint-disable-next-line no-console -- the one place where this Worker writes its log.
  console.log(text);
}

export const report: ReportFault = (component, detail) => {
  // oxlint-disable-next-line no-console -- the one place where this Worker reports faults.
  console.error(JSON.stringify({ event: "fault", component, detail }));
};
