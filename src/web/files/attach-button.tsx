/** The paper clip: opens the browser's own choice of files. */
import { useRef, type ReactNode } from "react";

export function AttachButton(props: {
  /** Why no file can be attached; `null`: it can. */
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
        className="attach"
        // Not `disabled`: whoever comes to it by keyboard is to hear why.
        aria-disabled={refused !== null}
        aria-label={refused === null ? "Attach files" : `Attach files: ${refused}`}
        title={
          refused ??
          "Attach files (PDF, Office, text, Markdown, CSV, code and more). They are kept for 30 days at most."
        }
        onClick={() => refused === null && input.current?.click()}
      >
        <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">
          <path
            d="M8 12.5 14.6 6a3.2 3.2 0 0 1 4.5 4.5l-8.6 8.6a5.2 5.2 0 0 1-7.4-7.4l8-8"
            fill="none"
            stroke="currentColor"
            strokeWidth="1.8"
            strokeLinecap="round"
          />
        </svg>
      </button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        tabIndex={-1}
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])];
          // The same file chosen again is another choice.
          currentTarget.value = "";
          props.onFiles(files);
        }}
      />
    </>
  );
}
