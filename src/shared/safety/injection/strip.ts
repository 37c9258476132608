/**
 * Removes attacks from texts, sentence by sentence if that is enough, and leaves a visible mark. The rest is judged again, since
 * separate sentences are now adjacent; if it is still judged an attack, only the mark remains.
 */
import type { FoundWindow, Judgement } from "./judge.ts";

/** Replaces removed text. It has no quotes, backslashes or line ends, since it may be inside JSON. */
export const removedMark = "[removed by the injection screen]";

const mostRounds = 6;
/** Separates the texts when they are judged as one. */
const joint = "\n";

/**
 * @param texts what a reader would see one after the other: the parts of a message, the strings in JSON
 * @param judge `null`: there is no time left
 */
export function stripTexts(texts: readonly string[], judge: (text: string) => Judgement | null): string[] {
  let left = [...texts];
  for (let round = 0; round < mostRounds; round += 1) {
    const judgement = judge(left.join(joint));
    if (judgement === null) break;
    if (judgement.found.length === 0) return left;
    left = without(left, cutsOf(judgement.found, left.join(joint)));
  }
  return left.map((text) => (text === "" ? text : removedMark));
}

interface Cut {
  readonly start: number;
  readonly end: number;
}

/** The shortest windows found, in order and without overlaps: an overlapping one waits for the next round. */
function cutsOf(found: readonly FoundWindow[], text: string): Cut[] {
  const shortest = found.reduce((least, { size }) => Math.min(least, size), Number.POSITIVE_INFINITY);
  const cuts: Cut[] = [];
  let behind = 0;
  for (const { start, end } of found
    .filter(({ size }) => size === shortest)
    .sort((a, b) => a.start - b.start)) {
    if (start < behind || end <= start) continue;
    behind = end;
    // Its full stop goes with it.
    while (behind < text.length && ".!?;".includes(text.charAt(behind))) behind += 1;
    cuts.push({ start, end: behind });
  }
  return cuts;
}

/** The texts without the cuts; a cut over several texts leaves a mark in each. */
function without(texts: readonly string[], cuts: readonly Cut[]): string[] {
  let base = 0;
  let next = 0;
  return texts.map((text) => {
    const end = base + text.length;
    while (next < cuts.length && (cuts[next]?.end ?? 0) <= base) next += 1;
    let kept = "";
    let at = 0;
    for (let index = next; index < cuts.length; index += 1) {
      const cut = cuts[index];
      if (cut === undefined || cut.start >= end) break;
      const from = Math.max(0, cut.start - base);
      kept += text.slice(at, from) + removedMark;
      at = Math.min(text.length, cut.end - base);
    }
    base = end + joint.length;
    return at === 0 ? text : kept + text.slice(at);
  });
}
