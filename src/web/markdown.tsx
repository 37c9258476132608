/**
 * Markdown as React elements: marked's lexer parses, this file renders. It never uses innerHTML, so everything that a model
 * writes is text; HTML is shown as written, and images become links (the page loads nothing from other hosts).
 */
import type { Token, Tokens } from "marked";
import { Fragment, memo, useMemo, useState, type CSSProperties, type ReactNode } from "react";
import { CodeBlock } from "./code-block.tsx";
import { decodeEntities } from "./entities.ts";
import { Formula } from "./formula.tsx";
import { GrowingMarkdown } from "./growing-markdown.ts";
import type { MathToken } from "./markdown-math.ts";
import { CitingText, Sources, type Source } from "./sources.tsx";

const safeLink = /^(?:https?:|mailto:)/i;
/** The only HTML element that models need in Markdown: a new line in a table cell. */
const lineBreak = /^<br\s*\/?>$/i;

/** @param sources the sources of its citation marks */
export const Markdown = memo(function Markdown({
  text,
  sources,
}: {
  readonly text: string;
  readonly sources: readonly Source[];
}) {
  // It remembers the text read so far between renderings; this never changes its results.
  const [reader] = useState(() => new GrowingMarkdown());
  const blocks = useMemo(() => reader.read(text), [reader, text]);
  return (
    <Sources value={sources}>
      {blocks.map((token, index) => (
        <Block key={index} token={token} />
      ))}
    </Sources>
  );
});

/** A finished block keeps the same token, so it is rendered only once. */
const Block = memo(function Block({ token }: { readonly token: Token }) {
  // The first letter of a block decides its writing direction, also for everything in it, such as list marks.
  return <div dir="auto">{render(token)}</div>;
});

function renderAll(tokens: readonly Token[] | undefined): ReactNode[] {
  return (tokens ?? []).map((token, index) => <Fragment key={index}>{render(token)}</Fragment>);
}

function render(token: Token): ReactNode {
  switch (token.type) {
    case "paragraph":
      return <p>{renderAll(token.tokens)}</p>;
    case "heading":
      return renderHeading(token as Tokens.Heading);
    case "code":
      return <CodeBlock code={(token as Tokens.Code).text} language={(token as Tokens.Code).lang ?? ""} />;
    case "blockquote":
      return <blockquote>{renderAll(token.tokens)}</blockquote>;
    case "list":
      return renderList(token as Tokens.List);
    case "table":
      return renderTable(token as Tokens.Table);
    case "hr":
      return <hr />;
    case "strong":
      return <strong>{renderAll(token.tokens)}</strong>;
    case "em":
      return <em>{renderAll(token.tokens)}</em>;
    case "del":
      return <del>{renderAll(token.tokens)}</del>;
    case "codespan":
      return <code dir="auto">{(token as Tokens.Codespan).text}</code>;
    case "br":
      return <br />;
    case "link":
    case "image":
      return renderLink(token as Tokens.Link | Tokens.Image);
    case "checkbox":
      return renderCheckbox(token as Tokens.Checkbox);
    case "math":
      return <Formula text={(token as MathToken).text} display={(token as MathToken).display} />;
    case "space":
    case "def":
      return null;
    case "text":
    case "escape":
      return "tokens" in token && token.tokens !== undefined
        ? renderAll(token.tokens)
        : citing(textOf(token as Tokens.Text | Tokens.Escape));
    case "html":
      return lineBreak.test(token.raw) ? <br /> : token.raw;
    default:
      return token.raw;
  }
}

/** HTML is shown as written with its entities; an escaped character is shown as that character. */
function textOf(token: Tokens.Text | Tokens.Escape): string {
  return token.type === "text" && token.escaped !== true ? decodeEntities(token.text) : token.text;
}

function citing(text: string): ReactNode {
  return text.includes("[") ? <CitingText text={text} /> : text;
}

function renderCheckbox({ checked }: Tokens.Checkbox): ReactNode {
  return (
    <>
      <input type="checkbox" checked={checked} disabled aria-label={checked ? "done" : "open"} />{" "}
    </>
  );
}

function renderHeading(token: Tokens.Heading): ReactNode {
  // The page's title is h1, a speaker's name h2: a model's headings begin below them.
  const children = renderAll(token.tokens);
  if (token.depth <= 1) return <h3>{children}</h3>;
  if (token.depth === 2) return <h4>{children}</h4>;
  return <h5>{children}</h5>;
}

function renderList(token: Tokens.List): ReactNode {
  const items = token.items.map((item, index) => (
    <li key={index} className={item.task ? "task" : undefined}>
      {renderAll(item.tokens)}
    </li>
  ));
  return token.ordered ? <ol start={token.start === "" ? 1 : token.start}>{items}</ol> : <ul>{items}</ul>;
}

function renderTable(token: Tokens.Table): ReactNode {
  return (
    <div className="table" role="region" aria-label="Table" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {token.header.map((cell, index) => (
              <th key={index} scope="col" style={sideOf(cell)}>
                {renderAll(cell.tokens)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {token.rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, index) => (
                <td key={index} style={sideOf(cell)}>
                  {renderAll(cell.tokens)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function sideOf({ align }: Tokens.TableCell): CSSProperties | undefined {
  return align === null ? undefined : { textAlign: align };
}

function renderLink(token: Tokens.Link | Tokens.Image): ReactNode {
  const href = decodeEntities(token.href);
  const label = token.type === "image" ? decodeEntities(token.text) || href : renderAll(token.tokens);
  if (!safeLink.test(href)) return label;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {label}
    </a>
  );
}
