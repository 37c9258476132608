import type { Turn } from "./conversation.ts";
import { withoutMarks } from "./datamark.ts";
import { meaningfulWords, overlap, sentencesOf } from "./words.ts";

/**
 * Does the prompt contain passages, and what do they say about the question? It recognises `<passage id="…">…</passage>`
 * (also document, source, context, chunk, doc) and paragraphs that begin with `[1]`, in any message.
 */
export interface Passage {
  /** The label for citing it, without brackets. */
  readonly label: string;
  readonly text: string;
}

const tagged = /<(passage|document|source|context|chunk|doc|result)\b([^>]*)>([\s\S]*?)<\/\1>/gi;
const numbered =
  /(?:^|\n)\s*\[([\w.:-]{1,64})\][ \t:]*\n?([^\n][\s\S]*?)(?=\n\s*\n|\n\s*\[[\w.:-]{1,64}\]|$)/g;

export function passagesOf(turns: readonly Turn[]): Passage[] {
  const passages: Passage[] = [];
  for (const turn of turns) {
    if (turn.role === "assistant") continue;
    if (!turn.text.includes("<") && !turn.text.includes("[")) continue;
    let found = 0;
    for (const match of turn.text.includes("</") ? turn.text.matchAll(tagged) : []) {
      found++;
      passages.push({
        label: labelOf(match[2] ?? "") ?? String(passages.length + 1),
        text: withoutMarks((match[3] ?? "").trim(), turn.text),
      });
    }
    if (found > 0) continue;
    for (const match of turn.text.matchAll(numbered))
      passages.push({ label: match[1] ?? "", text: (match[2] ?? "").trim() });
  }
  return passages.filter((passage) => passage.text !== "");
}

/** Several passages with instructions for the model. */
const wrapped = /<(passages|documents|sources|context)>[\s\S]*?<\/\1>/gi;

/** The question without the passages around it. */
export function withoutPassages(text: string): string {
  const bare = text.includes("</") ? text.replaceAll(wrapped, " ").replaceAll(tagged, " ") : text;
  return (bare.includes("[") ? bare.replaceAll(numbered, " ") : bare).trim();
}

/** An answer from the sentences nearest to the question, each cited once; undefined: no sentence relates to it. */
export function answerFrom(passages: readonly Passage[], question: string): string | undefined {
  const asked = meaningfulWords(question);
  const best = saidOnce(passages)
    .map((said) => ({ ...said, score: overlap(asked, meaningfulWords(said.sentence)) }))
    .filter((candidate) => candidate.score > 0)
    .sort((left, right) => right.score - left.score)
    .slice(0, 3);
  const top = best[0];
  if (top === undefined) return undefined;
  return best
    .filter((candidate) => candidate.score * 2 >= top.score)
    .map(({ sentence, labels }) => `${sentence} ${[...labels].map((label) => `[${label}]`).join("")}.`)
    .join(" ");
}

interface Said {
  /** Without the punctuation at its end. */
  readonly sentence: string;
  /** Labels of the passages that contain it: neighbours overlap, and a passage may repeat itself. */
  readonly labels: Set<string>;
}

function saidOnce(passages: readonly Passage[]): readonly Said[] {
  const said = new Map<string, Said>();
  for (const { label, text } of passages)
    for (const whole of sentencesOf(text)) {
      const sentence = whole.replace(/[.!?]$/, "");
      const known = said.get(sentence);
      if (known === undefined) said.set(sentence, { sentence, labels: new Set([label]) });
      else known.labels.add(label);
    }
  return [...said.values()];
}

function labelOf(attributes: string): string | undefined {
  const match = /\b(?:citation|index|number|id|n|source|name|title)\s*=\s*["']?([^"'\s>]+)/i.exec(attributes);
  return match?.[1]?.replaceAll(/^\[|\]$/g, "");
}
