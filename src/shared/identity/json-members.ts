/**
 * Does any object of this JSON text name a member twice? JSON.parse keeps the last and stays silent, other parsers keep
 * the first: a token that two parties read differently is refused (RFC 7519, 4; RFC 8725, 2.4). The text must be valid
 * JSON already, so that a string followed by a colon is a member's name and nothing else.
 */
export function repeatsMember(json: string): boolean {
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < json.length; at += 1) {
    switch (json[at]) {
      case "{":
        open.push(new Set());
        break;
      case "[":
        open.push(null);
        break;
      case "}":
      case "]":
        open.pop();
        break;
      case '"': {
        const end = closingQuote(json, at);
        const names = open.at(-1);
        if (names && isName(json, end + 1)) {
          // As parsed, since "\u0061" and "a" name the same member.
          const name = JSON.parse(json.slice(at, end + 1)) as string;
          if (names.has(name)) return true;
          names.add(name);
        }
        at = end;
        break;
      }
      default:
    }
  }
  return false;
}

function closingQuote(json: string, opening: number): number {
  let at = opening + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at;
}

function isName(json: string, after: number): boolean {
  let at = after;
  while (json[at] === " " || json[at] === "\t" || json[at] === "\n" || json[at] === "\r") at += 1;
  return json[at] === ":";
}
