/** What is quoted of an answer in a question about it: lines that begin with `> `, in front of what is typed. Pure. */

/** Characters. More is no quote but a copy. */
const mostQuoted = 2000;

/** Of a selection: without empty lines at its ends, and not without an end. */
export function quotable(selection: string): string {
  const text = selection.replaceAll("\r\n", "\n").trim();
  return text.length <= mostQuoted ? text : `${text.slice(0, mostQuoted).trimEnd()}…`;
}

/**
 * A browser puts each sign of a formula that is selected on a line of its own: in their place stands what the model wrote.
 * @param formulas those that are selected whole, in their order: what is seen of each, and how it was written
 */
export function withTex(
  selection: string,
  formulas: readonly { readonly seen: string; readonly tex: string }[],
): string {
  const signs = Array.from(selection);
  let done = "";
  let from = 0;
  for (const { seen, tex } of formulas) {
    const place = placeOf(Array.from(seen), signs, from);
    if (place === null) continue;
    const before = signs.slice(from, place.at).join("").replace(/\n+$/, "");
    done += before + (tex.startsWith("$$") ? `\n${tex}\n` : tex);
    from = place.end;
  }
  return done + signs.slice(from).join("");
}

/** Where a formula stands on lines of its own; `end`: behind it and its last line's end. */
function placeOf(
  formula: readonly string[],
  signs: readonly string[],
  from: number,
): { readonly at: number; readonly end: number } | null {
  const wanted = formula.filter((sign) => sign.trim() !== "");
  if (wanted.length === 0) return null;
  for (let at = from; at < signs.length; at += 1) {
    if (at > from && signs[at - 1] !== "\n") continue;
    let end = at;
    const isThere = wanted.every((sign) => {
      while (signs[end]?.trim() === "") end += 1;
      end += 1;
      return isSame(signs[end - 1] ?? "", sign);
    });
    if (!isThere || (end < signs.length && signs[end] !== "\n")) continue;
    while (signs[end] === "\n") end += 1;
    return { at, end };
  }
  return null;
}

/** A letter of a formula is drawn, and selected, as the slanted one that mathematics has of it. */
function isSame(selected: string, written: string): boolean {
  return selected.normalize("NFKC") === written.normalize("NFKC");
}

export function composed(quote: string, draft: string): string {
  const lines = quote.split("\n").map((line) => (line.trim() === "" ? ">" : `> ${line}`));
  return `${lines.join("\n")}\n\n${draft.trimStart()}`;
}

/** A message in its quote and what is said about it; `null`: it begins with none. */
export function quoteIn(message: string): { readonly quote: string; readonly rest: string } | null {
  const lines = message.split("\n");
  const after = lines.findIndex((line) => !/^>(?: |$)/.test(line));
  const count = after === -1 ? lines.length : after;
  if (count === 0) return null;
  const quote = lines.slice(0, count).map((line) => line.replace(/^> ?/, ""));
  return { quote: quote.join("\n"), rest: lines.slice(count).join("\n").replace(/^\n+/, "") };
}
