import { useEffect, useState } from "react";

/** How long it is said what came of it, in milliseconds. */
const saidMs = 2000;

export interface Copy {
  readonly label: string;
  /** @param element what it looks like, and what to select where nothing may be written to the clipboard, for who copies it by hand */
  readonly copy: (element: Element | null | undefined) => void;
}

/**
 * A button that copies `text`, and says whether it did.
 * @param asShown beside the text, what is seen of it: whoever pastes it into a document or a mail finds headings and tables, and whoever
 *   pastes it into a field of text finds the text
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

/** Rejects without the permission, and where there is no clipboard: on a page that came without TLS. */
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

/** Without what only the page has a use for. */
function htmlOf(element: Element): string {
  const shown = element.cloneNode(true) as Element;
  for (const own of shown.querySelectorAll("button, figcaption")) own.remove();
  for (const marked of shown.querySelectorAll("[class], [tabindex], [data-copied], [data-tex]"))
    for (const name of ["class", "tabindex", "data-copied", "data-tex"]) marked.removeAttribute(name);
  return shown.innerHTML;
}
