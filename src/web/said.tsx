/** A user's message. One longer than a screen is folded, so that a pasted file does not push the answer away. */
import { useRef, useState, type ReactNode } from "react";
import { quoteIn } from "./quote.ts";

/** About the number of letters in a line of a message. */
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
          // After folding, content below the message has moved far up: keep the button in view.
          if (isOpen) requestAnimationFrame(() => button.current?.scrollIntoView({ block: "nearest" }));
        }}
      >
        {isOpen ? "Show less" : "Show all"}
      </button>
    </>
  );
}

/** The text as typed, with a quote of an answer set apart. */
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
