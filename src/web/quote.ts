/** The quote of an answer in a question about it: lines that begin with `> `, before the question. Pure. */

/** Characters. More would be a copy, not a quote. */
const mostQuoted = 2000;

/** A selection as a quote: without empty lines at its ends, and of bounded length. */
export function quotable(selection: string): string {
  const text = selection.replaceAll("\r\n", "\n").trim();
  return text.length <= mostQuoted ? text : `${text.slice(0, mostQuoted).trimEnd()}…`;
}

/**
 * Replaces formulas in a selection by their source, since a browser puts each symbol of a formula on a separate line.
 * @param formulas the wholly selected ones, in order: the visible text of each, and its source
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

/** Where a formula stands on separate lines; `end`: after it and the end of its last line. */
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

/** Letters of a formula are drawn and selected as mathematical italics. */
function isSame(selected: string, written: string): boolean {
  return selected.normalize("NFKC") === written.normalize("NFKC");
}

export function composed(quote: string, draft: string): string {
  const lines = quote.split("\n").map((line) => (line.trim() === "" ? ">" : `> ${line}`));
  return `${lines.join("\n")}\n\n${draft.trimStart()}`;
}

/** Splits a message into its quote and the rest; `null`: it does not begin with a quote. */
export function quoteIn(message: string): { readonly quote: string; readonly rest: string } | null {
  const lines = message.split("\n");
  const after = lines.findIndex((line) => !/^>(?: |$)/.test(line));
  const count = after === -1 ? lines.length : after;
  if (count === 0) return null;
  const quote = lines.slice(0, count).map((line) => line.replace(/^> ?/, ""));
  return { quote: quote.join("\n"), rest: lines.slice(count).join("\n").replace(/^\n+/, "") };
}
