/**
 * Markdown as React elements: marked's lexer reads, this file renders. No innerHTML anywhere, so that whatever a model
 * writes is text; HTML in it is shown as written, images become links (the page loads nothing from elsewhere).
 */
import { lexer, type Token, type Tokens } from "marked";
import { Fragment, memo, type ReactNode } from "react";
import { CodeBlock } from "./code-block.tsx";

const safeLink = /^(?:https?:|mailto:)/i;

export const Markdown = memo(function Markdown({ text }: { readonly text: string }) {
  return (
    <>
      {lexer(text)
        .filter(({ type }) => type !== "space" && type !== "def")
        .map((token, index) => (
          // Each block is read from the side on which its first letter begins; what is in it goes along, list marks too.
          <div key={index} dir="auto">
            {render(token)}
          </div>
        ))}
    </>
  );
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
    case "space":
    case "def":
      return null;
    case "text":
    case "escape":
      return "tokens" in token && token.tokens !== undefined
        ? renderAll(token.tokens)
        : (token as Tokens.Text).text;
    default:
      return token.raw;
  }
}

function renderHeading(token: Tokens.Heading): ReactNode {
  // The page's own title is h1, the speaker's name h2: a model's headings begin below them.
  const children = renderAll(token.tokens);
  if (token.depth <= 1) return <h3>{children}</h3>;
  if (token.depth === 2) return <h4>{children}</h4>;
  return <h5>{children}</h5>;
}

function renderList(token: Tokens.List): ReactNode {
  const items = token.items.map((item, index) => (
    <li key={index}>
      {item.task ? (
        <input
          type="checkbox"
          checked={item.checked === true}
          disabled
          aria-label={item.checked === true ? "done" : "open"}
        />
      ) : null}
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
              <th key={index} scope="col">
                {renderAll(cell.tokens)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {token.rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, index) => (
                <td key={index}>{renderAll(cell.tokens)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function renderLink(token: Tokens.Link | Tokens.Image): ReactNode {
  const label = token.type === "image" ? token.text || token.href : renderAll(token.tokens);
  if (!safeLink.test(token.href)) return label;
  return (
    <a href={token.href} target="_blank" rel="noopener noreferrer nofollow">
      {label}
    </a>
  );
}
