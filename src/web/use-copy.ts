import { useEffect, useState } from "react";

/** How long the result is shown, in milliseconds. */
const saidMs = 2000;

export interface Copy {
  readonly label: string;
  /** @param element its formatted form. If the clipboard can't be written, it is selected for copying by hand. */
  readonly copy: (element: Element | null | undefined) => void;
}

/**
 * For a button that copies `text`, and shows whether that succeeded.
 * @param asShown also copies the formatted form: pasting into a document or a mail gives headings and tables, pasting into a text field
 *   the text
 */
export function useCopy(text: string, asShown: boolean): Copy {
  const [label, setLabel] = useState("Copy");
  useEffect(() => {
    if (label === "Copy") return;
    const timer = setTimeout(() => setLabel("Copy"), saidMs);
    return () => clearTimeout(timer);
  }, [label]);
  return {
    label,
    copy: (element) =>
      void write(text, asShown && element ? htmlOf(element) : null).then(
        () => setLabel("Copied"),
        () => {
          if (element) getSelection()?.selectAllChildren(element);
          setLabel("Selected");
        },
      ),
  };
}

/** Rejects without the permission, and if there is no clipboard: on a page without TLS. */
async function write(text: string, html: string | null): Promise<void> {
  if (html === null || typeof ClipboardItem === "undefined") return navigator.clipboard.writeText(text);
  const item = new ClipboardItem({
    "text/plain": blobOf(text, "text/plain"),
    "text/html": blobOf(html, "text/html"),
  });
  await navigator.clipboard.write([item]);
}

function blobOf(text: string, type: string): Blob {
  return new Blob([text], { type });
}

/** Without parts that are useful only on the page. */
function htmlOf(element: Element): string {
  const shown = element.cloneNode(true) as Element;
  for (const own of shown.querySelectorAll("button, figcaption")) own.remove();
  for (const marked of shown.querySelectorAll("[class], [tabindex], [data-copied], [data-tex]"))
    for (const name of ["class", "tabindex", "data-copied", "data-tex"]) marked.removeAttribute(name);
  return shown.innerHTML;
}
