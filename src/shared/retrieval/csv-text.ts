/**
 * How is a table read in pieces? Each row with its columns' names (`name: Ada | born: 1815`): a passage from the middle of a file has
 * no header above it. RFC 4180, fields in quotes included.
 */

/** The text may grow by this much for its names; a table that would need more stays as it is. */
const mostGrowth = 4;
const freeCharacters = 65_536;
const maxColumns = 200;

/** @param separator absent: what the table itself says, or else what parts most of its first row: Excel writes `;` where `,` is in numbers */
export function csvText(table: string, separator?: "\t"): string {
  const said = separator === undefined ? /^sep=([,;|\t])\r?\n/i.exec(table) : null;
  const csv = table.slice(said?.[0].length ?? 0);
  const rows = csvRows(csv, separator ?? said?.[1] ?? separatorOf(csv));
  const header = rows.next().value;
  if (header === undefined || header.length < 2 || header.length > maxColumns) return csv;
  const names = header.map((name) => oneLine(name));
  // Numbers, or gaps, are no names: the first row is one of the table's. What R and pandas write has row names below a gap.
  if (names.some((name, at) => (name === "" && at > 0) || /^[-+]?[\d.,]+$/.test(name))) return csv;
  const most = csv.length * mostGrowth + freeCharacters;
  const lines: string[] = [];
  let characters = 0;
  for (const row of rows) {
    const line = row
      .map((field, at) => [names[at], oneLine(field)] as const)
      .filter(([, field]) => field !== "")
      .map(([name, field]) => (name === undefined || name === "" ? field : `${name}: ${field}`))
      .join(" | ");
    if (line === "") continue;
    characters += line.length + 1;
    if (characters > most) return csv;
    lines.push(line);
  }
  return lines.length === 0 ? csv : lines.join("\n");
}

/** The first of those that make as many columns. */
function separatorOf(csv: string): string {
  let best = ",";
  let most = 0;
  for (const separator of [",", ";", "\t"]) {
    const columns = csvRows(csv, separator).next().value?.length ?? 0;
    if (columns > most) [best, most] = [separator, columns];
  }
  return best;
}

function oneLine(field: string): string {
  return field.replace(/\s+/g, " ").trim();
}

function* csvRows(csv: string, separator: string): Generator<string[], undefined> {
  let row: string[] = [];
  let at = 0;
  while (at < csv.length) {
    if (csv[at] === '"') {
      const { field, end } = quotedField(csv, at);
      at = end;
      // Behind the closing quote only the separator or the line's end may stand; anything else was not quoted by who knew that.
      while (at < csv.length && csv[at] !== separator && csv[at] !== "\n" && csv[at] !== "\r") at += 1;
      row.push(field + csv.slice(end, at));
    } else {
      const from = at;
      while (at < csv.length && csv[at] !== separator && csv[at] !== "\n" && csv[at] !== "\r") at += 1;
      row.push(csv.slice(from, at));
    }
    if (csv[at] === separator) {
      at += 1;
      if (at === csv.length) row.push("");
      continue;
    }
    at += csv[at] === "\r" && csv[at + 1] === "\n" ? 2 : 1;
    yield row;
    row = [];
  }
  if (row.length > 0) yield row;
  return undefined;
}

/** Two quotes are one within. One that is never closed goes to the end of the text. */
function quotedField(csv: string, open: number): { readonly field: string; readonly end: number } {
  const pieces: string[] = [];
  let from = open + 1;
  for (;;) {
    const quote = csv.indexOf('"', from);
    if (quote === -1) {
      pieces.push(csv.slice(from));
      return { field: pieces.join('"'), end: csv.length };
    }
    pieces.push(csv.slice(from, quote));
    if (csv[quote + 1] !== '"') return { field: pieces.join('"'), end: quote + 1 };
    from = quote + 2;
  }
}
