/**
 * JSON without escapes that its characters do not need: `\u0049gnore` is `Ignore`, `\/` is `/`. Later readers of the text (screens, the
 * search for secrets, a model) may get only a part of it, which is no longer JSON: an escape would then hide its character. Numbers stay as
 * they are written.
 */
const stringLiteral = /"(?:[^"\\]|\\.)*"/g;

/** What is no JSON as it is. */
export function plainJson(text: string): string {
  if (!/\\[u/]/.test(text) || !isJson(text)) return text;
  return text.replace(stringLiteral, (literal) =>
    literal.includes("\\") ? JSON.stringify(JSON.parse(literal)) : literal,
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // Nobody else can read it as JSON either: it means what it says.
    return false;
  }
}
