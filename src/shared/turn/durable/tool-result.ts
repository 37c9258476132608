/** What did a call of a tool come to, as readers and the model are told it, and how much of that has room in one answer? Pure. */
import type { WebSource } from "../../grounding/citable.ts";
import { faultText, type Passage, type ToolFault } from "../../tools/server-tool.ts";

export interface Made {
  readonly isGood: boolean;
  readonly text: string;
}

export function failed(fault: ToolFault): Made {
  return { isGood: false, text: faultText(fault) };
}

/**
 * Arguments and results of one answer, as JSON: its last event repeats all of them beside its texts (response-writer.ts), and a
 * journal's event holds 500,000.
 */
export const mostToldUnits = 150_000;
export const noRoom: ToolFault = {
  kind: "too-large",
  detail: "this response has taken in all that it can",
};

/** As JSON. */
export function unitsOf(text: string): number {
  return JSON.stringify(text).length;
}

/**
 * What a search found, as the model reads it.
 *
 * @param sources what it may cite of the web, in its order: gets these behind them
 * @param shown passages of files that it was given: what is found of the web is numbered behind them
 */
export function numbered(passages: readonly Passage[], sources: WebSource[], shown: number): string {
  if (passages.length === 0) return "Nothing was found.";
  const before = shown + sources.length;
  const lines = passages.map(({ url, title, text }, at) => {
    sources.push({ url, title });
    return `[${before + at + 1}] ${title} (${url})\n${text}`;
  });
  // Beside passages the model was told to cite nothing else than those.
  const how = shown === 0 ? "Cite what you use" : "Cite what you use of this as you cite passages,";
  return `${how} by its number in brackets, such as [${before + 1}].\n\n${lines.join("\n\n")}`;
}
