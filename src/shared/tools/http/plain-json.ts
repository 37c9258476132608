/**
 * JSON without escapes that its characters do not need: `\u0049gnore` is `Ignore`, `\/` is `/`. What reads a text behind this (screens, the
 * search for secrets, a model) may have only a part of it, which is no JSON any more: an escape would then hide what it means. Numbers stay as
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
