/** The paper clip: opens the browser's own choice of files. */
import { useRef, type ReactNode } from "react";
import { Icon, signs } from "../icon.tsx";

export function AttachButton(props: {
  /** Why no file can be attached; `null`: files can be attached. */
  readonly refused: string | null;
  readonly onFiles: (files: readonly File[]) => void;
}): ReactNode {
  const { refused } = props;
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        id="attach"
        className="quiet round"
        // Not `disabled`, so that keyboard users can reach it and hear the reason.
        aria-disabled={refused !== null}
        aria-label={refused === null ? "Attach files" : `Attach files: ${refused}`}
        title={
          refused ??
          "Attach files (PDF, Office, text, Markdown, CSV, code and more). They are kept for 30 days at most."
        }
        onClick={() => refused === null && input.current?.click()}
      >
        <Icon d={signs.clip} />
      </button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        tabIndex={-1}
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])];
          // Choosing the same file again must count as a change.
          currentTarget.value = "";
          props.onFiles(files);
        }}
      />
    </>
  );
}
