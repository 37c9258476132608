/**
 * Formulas in Markdown, which has none: `$a*b*c$` would lose its asterisks to emphasis, and `\(x\)` its backslashes. They are
 * kept as written, and formula.tsx renders them.
 */
import type { MarkedOptions, Tokens } from "marked";

export interface MathToken extends Tokens.Generic {
  readonly type: "math";
  /** Without its delimiters. */
  readonly text: string;
  /** On a separate line. */
  readonly display: boolean;
}

/** A formula ends before a blank line at the latest, so an unclosed one does not swallow the rest. */
const line = String.raw`\n(?![ \t]*\n)`;
const display = String.raw`\$\$((?:\\[^\n]|[^\\\n$]|${line}|\$(?!\$))+?)\$\$|\\\[((?:[^\\\n]|\\[^\]\n]|\\?${line})+?)\\\]`;
const block = new RegExp(String.raw`^ {0,3}(?:${display})[ \t]*(?:\n|$)`);
/**
 * Pandoc's rule, so that "$5 and $7" are two prices: no space just inside the dollars, and no digit or letter after them.
 */
const inline = new RegExp(
  String.raw`^(?:${display}|\\\(((?:[^\\\n]|\\[^)\n]|\\?${line})+?)\\\)|\$(?!\s)((?:\\[^\n]|[^\\$\n])+?)(?<!\s)\$(?![\w$]))`,
);

function mathAt(src: string, pattern: RegExp): MathToken | undefined {
  const match = pattern.exec(src);
  if (match === null) return undefined;
  const [raw, dollars, brackets, ...inText] = match;
  const text = dollars ?? brackets ?? inText.find((one) => one !== undefined) ?? "";
  return { type: "math", raw, text: text.trim(), display: (dollars ?? brackets) !== undefined };
}

/** Where in `src` the next one may begin; `undefined`: nowhere. */
function nextStart(src: string, pattern: RegExp): number | undefined {
  const at = src.search(pattern);
  return at === -1 ? undefined : at;
}

export const markdownOptions: MarkedOptions = {
  gfm: true,
  extensions: {
    renderers: {},
    childTokens: {},
    block: [(src) => mathAt(src, block)],
    startBlock: [
      (src) => {
        // Only up to the end of the paragraph that it would interrupt.
        const end = src.search(/\n[ \t]*\n/);
        const at = nextStart(end === -1 ? src : src.slice(0, end), /\n {0,3}(?:\$\$|\\\[)/);
        return at === undefined ? undefined : at + 1;
      },
    ],
    inline: [(src) => mathAt(src, inline)],
    startInline: [(src) => nextStart(src, /\$|\\[([]/)],
  },
};
