/** What a user said. What is longer than a screen is folded: whoever pasted a whole file reads the answer below it, and not the file again. */
import { useRef, useState, type ReactNode } from "react";
import { quoteIn } from "./quote.ts";

/** As many letters as stand in a line of a message, about. */
const lineLetters = 70;
const mostLines = 24;

export function isLong(text: string): boolean {
  let lines = 0;
  for (const line of text.split("\n", mostLines + 1))
    lines += Math.max(1, Math.ceil(line.length / lineLetters));
  return lines > mostLines;
}

export function Said({ text }: { readonly text: string }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  if (!isLong(text))
    return (
      <p className="said" dir="auto">
        <Words text={text} />
      </p>
    );
  return (
    <>
      <p className={isOpen ? "said" : "said folded"} dir="auto">
        <Words text={text} />
      </p>
      <button
        ref={button}
        type="button"
        className="quiet small"
        aria-expanded={isOpen}
        onClick={() => {
          setOpen(!isOpen);
          // What was below a long message is far above when that is folded: who folds it stays where it is.
          if (isOpen) requestAnimationFrame(() => button.current?.scrollIntoView({ block: "nearest" }));
        }}
      >
        {isOpen ? "Show less" : "Show all"}
      </button>
    </>
  );
}

/** As it was typed; what it quotes of an answer is set apart. */
function Words({ text }: { readonly text: string }): ReactNode {
  const quoted = quoteIn(text);
  if (quoted === null) return text;
  return (
    <>
      <q className="quoted">{quoted.quote}</q>
      {quoted.rest}
    </>
  );
}
