/** What is quoted of an answer in a question about it: lines that begin with `> `, in front of what is typed. Pure. */

/** Characters. More is no quote but a copy. */
const mostQuoted = 2000;

/** Of a selection: without empty lines at its ends, and not without an end. */
export function quotable(selection: string): string {
  const text = selection.replaceAll("\r\n", "\n").trim();
  return text.length <= mostQuoted ? text : `${text.slice(0, mostQuoted).trimEnd()}…`;
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
