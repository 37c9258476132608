/** The result of a tool call, as readers and the model see it, and how much of it fits into one answer. */
import type { WebSource } from "../../grounding/citable.ts";
import { faultText, type ToolFault, type ToolOutput } from "../../tools/server-tool.ts";
import type { ToolBox } from "../../tools/tool-box.ts";
import type { ScreenedResult } from "../../tools/web-search/screen-results.ts";

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
const mostToldUnits = 150_000;
export const noRoom: ToolFault = {
  kind: "too-large",
  detail: "this response has taken in all that it can",
};
const unshown: ToolFault = { kind: "refused", detail: "its answer may not be shown" };

/** What is left of it. */
export class ToldRoom {
  #units = 0;

  /** UTF-16 units as JSON. */
  get left(): number {
    return Math.max(0, mostToldUnits - this.#units);
  }

  /** Counts what is there already. */
  add(text: string): void {
    this.#units += unitsOf(text);
  }

  /** `false`: it does not fit. */
  take(text: string): boolean {
    const units = unitsOf(text);
    if (units > this.left) return false;
    this.#units += units;
    return true;
  }
}

function unitsOf(text: string): number {
  return JSON.stringify(text).length;
}

/** What the model may cite, in the order in which it was told of it. */
interface ToldSources {
  /** Passages of files: web results are numbered after them. */
  readonly passages: number;
  /** Web results: the ones that the model is given now are added. */
  readonly sources: WebSource[];
}

/** Screened, cut to what is allowed, and numbered if it is a search's. */
export async function toldOf(
  { passages: results, text }: ToolOutput,
  box: Pick<ToolBox, "mostCharacters" | "screened" | "results" | "cut">,
  room: ToldRoom,
  told: ToldSources,
): Promise<Made> {
  if (results === undefined) {
    const screened = await box.screened(box.cut(text));
    return screened === null ? failed(unshown) : taken(screened, room);
  }
  const screened = await box.results(results);
  if (screened.length === 0 && results.length > 0) return failed(unshown);
  // Numbered and added in one step: another search may have ended meanwhile.
  const found = numbered(screened, told, box.mostCharacters);
  const made = taken(box.cut(found.text), room);
  if (made.isGood) told.sources.push(...found.sources);
  return made;
}

function taken(text: string, room: ToldRoom): Made {
  return room.take(text) ? { isGood: true, text } : failed(noRoom);
}

/** Characters of the line that says what was left out. */
const leftOutCharacters = 64;

/**
 * A search's results as the model reads them: as many whole ones as there is room for, and at least one. Results that are left out are not sources.
 *
 * @param most characters
 */
function numbered(
  results: readonly ScreenedResult[],
  { passages, sources }: ToldSources,
  most: number,
): { readonly text: string; readonly sources: readonly WebSource[] } {
  if (results.length === 0) return { text: "Nothing was found.", sources: [] };
  const first = passages + sources.length + 1;
  // With passages in the prompt, the model was told to cite nothing but them.
  const how = passages === 0 ? "Cite what you use" : "Cite what you use of this as you cite passages,";
  let text = `${how} by its number in brackets, such as [${first}].`;
  let shown = 0;
  for (const { read } of results) {
    const line = `\n\n[${first + shown}] ${read.title} (${read.url})\n${read.text}`;
    if (shown > 0 && text.length + line.length > most - leftOutCharacters) break;
    text += line;
    shown += 1;
  }
  const leftOut = results.length - shown;
  if (leftOut > 0) text += `\n\n(${leftOut} more were found, for which there is no room.)`;
  return { text, sources: results.slice(0, shown).map((result) => result.shown) };
}
