import { useEffect, useState } from "react";

/** How long it is said what came of it, in milliseconds. */
const saidMs = 2000;

export interface Copy {
  readonly label: string;
  /** @param element what to select where nothing may be written to the clipboard, for who copies it by hand */
  readonly copy: (element: Element | null | undefined) => void;
}

/** A button that copies `text`, and says whether it did. */
export function useCopy(text: string): Copy {
  const [label, setLabel] = useState("Copy");
  useEffect(() => {
    if (label === "Copy") return;
    const timer = setTimeout(() => setLabel("Copy"), saidMs);
    return () => clearTimeout(timer);
  }, [label]);
  return {
    label,
    copy: (element) =>
      void write(text).then(
        () => setLabel("Copied"),
        () => {
          if (element) getSelection()?.selectAllChildren(element);
          setLabel("Selected");
        },
      ),
  };
}

/** Rejects without the permission, and where there is no clipboard: on a page that came without TLS. */
async function write(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
}
