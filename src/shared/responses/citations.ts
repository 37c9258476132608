/** Where does an answer's text cite the numbered passages that its model was given? As `[2]`; OpenAI's `url_citation` says it. */
export interface CitedSource {
  readonly url: string;
  readonly title: string;
}

/** Of one text. */
const mostCitations = 100;

/** JSON of each annotation, in their order. @param text the inside of a JSON string; @param sources number 1 first */
export function citationsIn(text: string, sources: readonly CitedSource[]): readonly string[] {
  if (sources.length === 0 || !text.includes("[")) return [];
  const said = JSON.parse(`"${text}"`) as string;
  const found: string[] = [];
  for (const match of said.matchAll(/\[(\d{1,4})\]/g)) {
    const source = sources[Number(match[1]) - 1];
    if (source === undefined) continue;
    const { url, title } = source;
    const start_index = match.index;
    const end_index = start_index + match[0].length;
    found.push(JSON.stringify({ type: "url_citation", start_index, end_index, url, title }));
    if (found.length === mostCitations) break;
  }
  return found;
}
