/** Does the prompt ask for a certain length? "count to N" and "write N words" give exactly that length, for tests of long streams. */
const maxLength = 100_000;

const sentences = [
  "A request comes in at the nearest location and is checked before anything is spent.",
  "Then the router looks at the replicas that are healthy and picks the one with the least to do.",
  "The tokens come back one at a time and are passed on as they arrive.",
  "When the stream ends the exact count replaces the estimate and the rest is given back.",
  "Nothing waits for something that could have been started earlier.",
];
const words = sentences.join(" ").split(" ");

export function longText(question: string): string | undefined {
  const count = /\bcount(?:ing)?\s+(?:from\s+(\d+)\s+)?(?:up\s+)?to\s+(\d[\d,]*)/i.exec(question);
  if (count !== null) {
    const first = Number(count[1] ?? 1);
    const last = Math.min(number(count[2]), first + maxLength);
    return Array.from({ length: Math.max(last - first + 1, 0) }, (_, at) => first + at).join(", ");
  }
  const asked = /\b(\d[\d,]*)[ -]words?\b/i.exec(question);
  if (
    asked === null ||
    !/\bwrite|\btell|\bsay|\bgive|\bgenerate|\bessay|\bstory|\bexplain|\bin\b/i.test(question)
  )
    return undefined;
  const wanted = Math.min(number(asked[1]), maxLength);
  return wordsOf(wanted);
}

/** Exactly this many words of filler text; also used if the engine must ignore the end. */
export function wordsOf(count: number): string {
  const text: string[] = [];
  for (let at = 0; at < count; at++) text.push(words[at % words.length] ?? "");
  return text.join(" ");
}

function number(digits: string | undefined): number {
  return Number((digits ?? "0").replaceAll(",", ""));
}
