/**
 * The blocks of Markdown that is still being written. An answer is painted up to sixty times a second, and lexing all of it each
 * time would cost the square of its length. So finished blocks are lexed once and keep the same token objects; only the end is
 * lexed again. The result is the same as for the whole text (growing-markdown.test.ts: any text in any pieces).
 *
 * A block is finished after a blank line and a whole line of the next block: only then can no later text continue a list, close a
 * fence, underline a heading or make a table of it. One long block (a list of a thousand items) is lexed again until it ends.
 */
import { Lexer, type Token, type TokensList } from "marked";
import { markdownOptions } from "./markdown-math.ts";

type Links = TokensList["links"];

/** A link definition with an unclosed title, which may continue after any blank line. */
const openTitle =
  /^ {0,3}\[(?:\\[\s\S]|[^[\]\\])+\]: *(?:\n[ \t]*)?(?:[^<\s]\S*|<(?:\\.|[^\n<>\\])*>)(?: +(?:\n[ \t]*)?| *\n[ \t]*)(?:"(?:\\[\s\S]|[^"\\])*|'(?:\\[\s\S]|[^'\\])*|\((?:\\[\s\S]|[^()\\])*)\\?$/;

/**
 * Text in lists and quotes is read once for each level: units of text times nesting depth, some 100 ms for each million. No real text exceeds
 * this, and a page that reads such text sixty times a second would freeze.
 */
const mostNested = 8_000_000;
/** Lists and quotes that a line begins, or continues by its indentation. */
const nesting = /^[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+|>[ \t]*)+/gm;

export class GrowingMarkdown {
  /** The finished part of the text, and its blocks. */
  #finished = "";
  #blocks: readonly Token[] = [];
  /** The link definitions in it. */
  #links: Links = {};
  /** The definitions used for its references, as JSON: a later definition turns text into links. */
  #resolvedIn = "";

  /** The blocks of `text`, which continues the text read before; any other text is read from its beginning. Throws if it is nested too deep. */
  read(text: string): readonly Token[] {
    const source = text.replaceAll(/\r\n?/g, "\n");
    if (!source.startsWith(this.#finished)) this.#forget();
    const rest = source.slice(this.#finished.length);
    if (depthOf(rest) * rest.length > mostNested) throw new RangeError("nested too deep");
    const lexer = blocksOf(rest, this.#links);
    const { tokens } = lexer;
    const links = JSON.stringify(tokens.links);
    if (links !== this.#resolvedIn && this.#finished.includes("[")) {
      this.#forget();
      return this.read(text);
    }
    this.#resolvedIn = links;
    readInline(lexer);
    const before = this.#blocks;
    this.#finish(tokens, rest);
    return [...before, ...tokens.filter(isShown)];
  }

  #finish(tokens: TokensList, rest: string): void {
    const count = finishedCount(tokens, rest);
    if (count === 0) return;
    const finished = tokens.slice(0, count);
    const text = finished.map(({ raw }) => raw).join("");
    // What the lexer says it has read. If that is not the text, no block counts as finished.
    if (!rest.startsWith(text)) return;
    if (Object.keys(tokens.links).length > 0) this.#links = blocksOf(text, this.#links).tokens.links;
    this.#finished += text;
    this.#blocks = [...this.#blocks, ...finished.filter(isShown)];
  }

  #forget(): void {
    this.#finished = "";
    this.#blocks = [];
    this.#links = {};
    this.#resolvedIn = "";
  }
}

function depthOf(text: string): number {
  let deepest = 0;
  // A list is indented by two columns at least.
  for (const [line] of text.matchAll(nesting)) deepest = Math.max(deepest, Math.ceil(line.length / 2));
  return deepest;
}

/** How many of the first tokens can't change any more, whatever follows `rest`. */
function finishedCount(tokens: readonly Token[], rest: string): number {
  let count = 0;
  let offset = 0;
  let before: Token | undefined;
  for (const [index, token] of tokens.entries()) {
    if (!rest.includes("\n", offset)) break;
    if (before?.type === "space" && /\n[ \t]*\n/.test(before.raw)) count = index;
    if (/^ {0,3}\[/.test(token.raw) && openTitle.test(rest.slice(offset))) break;
    offset += token.raw.length;
    before = token;
  }
  return count;
}

function blocksOf(text: string, links: Links): Lexer {
  const lexer = new Lexer(markdownOptions);
  // The first definition of a name wins.
  Object.assign(lexer.tokens.links, links);
  lexer.blockTokens(text, lexer.tokens);
  return lexer;
}

function readInline(lexer: Lexer): void {
  for (const { src, tokens } of lexer.inlineQueue) {
    // An <a> or <pre> left open in one block must not affect the next, which may have been read before or after it.
    lexer.state.inLink = false;
    lexer.state.inRawBlock = false;
    lexer.inlineTokens(src, tokens);
  }
}

function isShown({ type }: Token): boolean {
  return type !== "space" && type !== "def";
}
