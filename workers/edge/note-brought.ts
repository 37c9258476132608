/**
 * Records what the tenant's screen found in texts that a turn fetched itself (passages of files, results of the service's own tools):
 * counted like a prompt's findings, and logged. Kinds and counts, never a word of the text.
 */
import type { ScreenedPrompt } from "../../src/shared/safety/screen-prompt.ts";
import { summary } from "../../src/shared/turn/screen-request.ts";
import type { Isolate } from "./isolate.ts";

export interface BroughtBy {
  readonly from: "passages" | "tool";
  readonly tenant: string;
  readonly requestId: string;
}

export function noteBrought(isolate: Isolate, by: BroughtBy, screened: ScreenedPrompt<unknown>): void {
  const found = foundIn(screened);
  if (found === null) return;
  for (const finding of found.split(" ")) {
    const at = finding.lastIndexOf(":");
    isolate.metrics.count("safetyFindings", `prompt\n${finding.slice(0, at)}`, Number(finding.slice(at + 1)));
  }
  isolate.witness({ event: "screened", ...by, found });
}

/** In the form of request records; `null`: nothing was found. */
function foundIn(screened: ScreenedPrompt<unknown>): string | null {
  if (screened.kind === "passed") return summary(screened.findings, screened.harm);
  const { refusal } = screened;
  return refusal.kind === "content-refused"
    ? refusal.categories.map((category) => `${category}:1`).join(" ")
    : "unscreened:1";
}
