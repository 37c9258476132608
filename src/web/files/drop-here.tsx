/** Accepts files dropped on the page. Without this a browser would leave the page to show the file. */
import { useEffect, useRef, useState, type ReactNode } from "react";

/** A separate component, so that only it is rendered while a file is dragged over the page. */
export function DropHere({ onFiles }: { readonly onFiles: (files: readonly File[]) => void }): ReactNode {
  const [over, setOver] = useState(false);
  const taken = useRef(onFiles);
  useEffect(() => {
    taken.current = onFiles;
  }, [onFiles]);
  useEffect(() => {
    /** Events come for every element that the pointer enters and leaves. */
    let depth = 0;
    const enter = (event: DragEvent): void => {
      if (!holdsFiles(event.dataTransfer)) return;
      depth += 1;
      setOver(true);
    };
    const leave = (event: DragEvent): void => {
      if (!holdsFiles(event.dataTransfer)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const hold = (event: DragEvent): void => {
      if (!holdsFiles(event.dataTransfer)) return;
      event.preventDefault();
      // A file was already dragged over the page before this was loaded.
      setOver(true);
      if (event.dataTransfer !== null) event.dataTransfer.dropEffect = "copy";
    };
    const drop = (event: DragEvent): void => {
      depth = 0;
      setOver(false);
      if (!holdsFiles(event.dataTransfer)) return;
      event.preventDefault();
      taken.current([...(event.dataTransfer?.files ?? [])]);
    };
    const listeners = { dragenter: enter, dragleave: leave, dragover: hold, drop } as const;
    for (const [name, listener] of Object.entries(listeners))
      window.addEventListener(name as keyof typeof listeners, listener);
    return () => {
      for (const [name, listener] of Object.entries(listeners))
        window.removeEventListener(name as keyof typeof listeners, listener);
    };
  }, []);
  if (!over) return null;
  return (
    <div className="drop-here" aria-hidden="true">
      Drop files here to ask about them
    </div>
  );
}

function holdsFiles(data: DataTransfer | null): boolean {
  return data?.types.includes("Files") === true;
}
