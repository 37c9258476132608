/** Which words carry meaning? Lower-cased, crudely stemmed, without the ones that every question has. */
const empty = new Set(
  (
    "a an and any are as at be by can could did do does for from give had has have how i if in into is it its me my " +
    "of on or our please should so tell than that the their them then there these they this those to up us use using " +
    "was we were what when where which who why will with would you your about get not no all some"
  ).split(" "),
);

export function meaningfulWords(text: string): Set<string> {
  const words = new Set<string>();
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) {
    if (!empty.has(word) && (word.length > 1 || /[\p{N}\p{Script=Han}]/u.test(word))) words.add(stem(word));
  }
  return words;
}

export function overlap(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  let shared = 0;
  for (const word of left) if (right.has(word)) shared++;
  return shared;
}

/** "weather_report" and "weatherReport" as "weather report". */
export function spacedName(name: string): string {
  return name.replaceAll(/([a-z\d])([A-Z])/g, "$1 $2").replaceAll(/[_\-.]+/g, " ");
}

export function sentencesOf(text: string): string[] {
  return text
    .split(/(?<=[.!?。！？])\s+|\n+/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== "");
}

/** The beginning of a text on one line, with an ellipsis where it was cut. */
export function gist(text: string, maxCharacters: number): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length <= maxCharacters ? line : `${line.slice(0, maxCharacters).trimEnd()}…`;
}

/** A deterministic number from a text, for choices that must not change between runs. */
export function numberFrom(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

function stem(word: string): string {
  if (word.length > 5) return word.replace(/(?:ations?|ators?|ating|ates?|ings?|ed|ies|es|e|s|y)$/, "");
  return word.length > 3 ? word.replace(/(?:es|s|e|y)$/, "") : word;
}
