/** A button at a selection within an answer that puts it into the field as a quote. */
import { useEffect, useState, type ReactNode, type RefObject } from "react";
import { composed, quotable, withTex } from "./quote.ts";

interface Selected {
  readonly text: string;
  /** In the window, in CSS pixels: the middle of the selection's end, and its lower edge. */
  readonly leftPx: number;
  readonly topPx: number;
}

export function QuoteButton(props: {
  readonly scroller: RefObject<HTMLElement | null>;
  readonly draft: string;
  readonly onDraft: (text: string) => void;
}): ReactNode {
  const { scroller } = props;
  const [selected, setSelected] = useState<Selected | null>(null);
  useEffect(() => {
    const element = scroller.current;
    const look = (): void => setSelected(selectedIn(element));
    document.addEventListener("selectionchange", look);
    element?.addEventListener("scroll", look, { passive: true });
    return () => {
      document.removeEventListener("selectionchange", look);
      element?.removeEventListener("scroll", look);
    };
  }, [scroller]);
  if (selected === null) return null;
  return (
    <button
      type="button"
      className="quote"
      style={{ left: selected.leftPx, top: selected.topPx }}
      // Otherwise the selection would be gone before the click.
      onPointerDown={(event) => event.preventDefault()}
      onClick={() => {
        props.onDraft(composed(selected.text, props.draft));
        getSelection()?.removeAllRanges();
        document.getElementById("message")?.focus();
      }}
    >
      Ask about this
    </button>
  );
}

/** `null`: no selection, or not within one answer. */
function selectedIn(scroller: HTMLElement | null): Selected | null {
  const selection = getSelection();
  if (scroller === null || selection === null || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  const within = range.commonAncestorContainer;
  const answer = (within instanceof Element ? within : within.parentElement)?.closest(".answer");
  if (answer === null || answer === undefined || !scroller.contains(answer)) return null;
  const formulas = [...answer.querySelectorAll<HTMLElement>("[data-tex]")]
    .filter((formula) => selection.containsNode(formula))
    .map((formula) => ({ seen: formula.textContent, tex: formula.dataset["tex"] ?? "" }));
  const text = quotable(withTex(String(selection), formulas));
  if (text === "") return null;
  const last = [...range.getClientRects()].at(-1) ?? range.getBoundingClientRect();
  const room = scroller.getBoundingClientRect();
  const topPx = last.bottom + 6;
  // The selection is scrolled out of sight.
  if (topPx < room.top || topPx > room.bottom) return null;
  const leftPx = Math.min(Math.max((last.left + last.right) / 2, room.left + 80), room.right - 80);
  return { text, leftPx, topPx };
}
