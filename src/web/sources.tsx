/** The sources of an answer: its marks show the file's name, and a list below it the files. Without sources both are absent. */
import { shownName } from "../shared/wire/shown-name.ts";
import { createContext, useContext, type ReactNode } from "react";

export interface Source {
  /** The number in the answer's `[1]`. */
  readonly index: number;
  readonly filename: string;
  /** The page of the passage, from 1, if the document has pages. */
  readonly page?: number;
  /** The beginning of the passage; empty: not stored. */
  readonly text: string;
  /** For a web page. */
  readonly url?: string;
}

export const Sources = createContext<readonly Source[]>([]);

const mark = /\[\d+(?:, ?\d+)*\]/g;

/** A text whose marks of known sources show their files. */
export function CitingText({ text }: { readonly text: string }): ReactNode {
  const sources = useContext(Sources);
  if (sources.length === 0) return text;
  const pieces: ReactNode[] = [];
  let told = 0;
  for (const match of text.matchAll(mark)) {
    const numbers: readonly string[] = match[0].match(/\d+/g) ?? [];
    const named = sources.filter(({ index }) => numbers.includes(String(index)));
    if (named.length === 0) continue;
    pieces.push(
      text.slice(told, match.index),
      <abbr key={match.index} className="cite" title={named.map(titleOf).join(", ")}>
        {match[0]}
      </abbr>,
    );
    told = match.index + match[0].length;
  }
  return [...pieces, text.slice(told)];
}

export function SourceList({ sources }: { readonly sources: readonly Source[] }): ReactNode {
  return (
    <div className="sources">
      <h3 className="visually-hidden">Sources</h3>
      {sources.map((source) => (
        <SourceEntry key={source.index} source={source} />
      ))}
    </div>
  );
}

const webAddress = /^https?:/i;

function titleOf({ filename, page }: Source): string {
  const name = shownName(filename);
  return page === undefined ? name : `${name}, p. ${page}`;
}

function SourceEntry({ source }: { readonly source: Source }): ReactNode {
  const { index, text, url } = source;
  const title = titleOf(source);
  if (text !== "")
    return (
      <details>
        <summary dir="auto">
          [{index}] {title}
        </summary>
        <q dir="auto">{text}</q>
      </details>
    );
  return (
    <span className="source" dir="auto">
      [{index}]{" "}
      {url !== undefined && webAddress.test(url) ? (
        <a href={url} target="_blank" rel="noopener noreferrer nofollow">
          {title}
        </a>
      ) : (
        title
      )}
    </span>
  );
}
