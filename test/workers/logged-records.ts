import { vi } from "vitest";
import type { RequestRecord } from "../../src/shared/telemetry/request-record.ts";

/** Keeps the log off the test's output, and puts the records of requests that are in it here, as they come. */
export function collectRecords(into: RequestRecord[]): void {
  vi.spyOn(console, "log").mockImplementation((text: unknown) => {
    for (const line of String(text).split("\n")) {
      const entry = JSON.parse(line) as RequestRecord & { event: string };
      if (entry.event === "request") into.push(entry);
    }
  });
}
