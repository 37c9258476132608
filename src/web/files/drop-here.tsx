/** Files that are dragged over the page and dropped on it. Without this a browser would leave the page to show the file. */
import { useEffect, useRef, useState } from "react";

/** @returns whether something is held over the page that can be dropped on it */
export function useDroppedFiles(onFiles: (files: readonly File[]) => void): boolean {
  const [over, setOver] = useState(false);
  const taken = useRef(onFiles);
  useEffect(() => {
    taken.current = onFiles;
  }, [onFiles]);
  useEffect(() => {
    /** It is told of every element that the pointer enters and leaves. */
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
  return over;
}

function holdsFiles(data: DataTransfer | null): boolean {
  return data?.types.includes("Files") === true;
}

/**
 * Of what is pasted: files, unless there is text as well (a spreadsheet's cells come as a picture, too). Files that were copied as such
 * bring their names as text on some systems.
 */
export function pastedFiles(data: Pick<DataTransfer, "files" | "getData">): readonly File[] {
  const files = [...data.files];
  const lines = data
    .getData("text/plain")
    .trim()
    .split(/[\r\n]+/);
  const isText = lines.some((line) => line !== "" && !files.some(({ name }) => name === line));
  return isText ? [] : files;
}
