/** A chat's files above the field: those already used in a question folded, the others as chips that can be removed. */
import { useEffect, useRef, useState, type ReactNode } from "react";
import { shownName } from "../../shared/wire/shown-name.ts";
import { duration } from "../duration.ts";
import { Icon, signs } from "../icon.tsx";
import { useSecondsUntil } from "../use-seconds-until.ts";
import type { ChatFile, FileBarProps, FileState } from "./chat-file.ts";
import { toldOfFiles } from "./tell-files.ts";

export function FileBar({ view, onRemove, onRetry, onDismiss }: FileBarProps): ReactNode {
  const { files, note } = view;
  const sent = files.filter((file) => file.sent);
  const fresh = files.filter((file) => !file.sent);
  const told = useTold(files);
  return (
    <section className="files" aria-label="Files of this chat">
      <p className="visually-hidden" role="status">
        {told}
      </p>
      {note === null ? null : (
        <p className="file-note" role="alert">
          {note}{" "}
          <button
            type="button"
            className="quiet small"
            aria-label="Dismiss"
            onClick={() => {
              onDismiss();
              focusOnAttach();
            }}
          >
            <Icon d={signs.cross} />
          </button>
        </p>
      )}
      {sent.length === 0 ? null : (
        <details>
          <summary>{sent.length === 1 ? "1 file in this chat" : `${sent.length} files in this chat`}</summary>
          <ul>
            {sent.map((file) => (
              <Chip key={file.key} file={file} />
            ))}
          </ul>
        </details>
      )}
      {fresh.length === 0 ? null : (
        <ul>
          {fresh.map((file) => (
            <Chip
              key={file.key}
              file={file}
              onRetry={() => {
                onRetry(file.key);
                focusOnAttach();
              }}
              onRemove={() => {
                onRemove(file.key);
                focusOnAttach();
              }}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

/** The pressed button is gone with its file: the focus moves to the attach button. */
function focusOnAttach(): void {
  document.getElementById("attach")?.focus();
}

function Chip({
  file,
  onRetry,
  onRemove,
}: {
  readonly file: ChatFile;
  readonly onRetry?: () => void;
  readonly onRemove?: () => void;
}): ReactNode {
  const { state } = file;
  const name = shownName(file.name);
  const chip = useRef<HTMLLIElement>(null);
  // If not all are visible, scroll to the last attached or failed one.
  const isFailed = state.kind === "failed";
  const untilMs = isFailed ? (state.untilMs ?? null) : null;
  const seconds = useSecondsUntil(untilMs);
  useEffect(() => {
    // Newer browsers return a promise, which must not be taken for a clean-up function.
    chip.current?.scrollIntoView({ block: "nearest" });
  }, [isFailed]);
  return (
    <li ref={chip} className={`chip ${state.kind}`}>
      <span className="chip-words">
        {file.picture === undefined ? null : <img src={file.picture} alt="" />}
        <span className="chip-name" dir="auto" title={name}>
          {name}
        </span>
        {state.kind === "uploading" ? (
          <progress max={100} value={state.percent} aria-label={`Upload of ${name}`} />
        ) : null}
        <span className="chip-state">
          {stateInWords(state)}
          {untilMs === null ? null : seconds > 0 ? ` Try again in ${duration(seconds)}.` : " Try again now."}
        </span>
      </span>
      {state.kind === "failed" && state.retry && onRetry !== undefined ? (
        <button
          type="button"
          className="small"
          aria-label={`Try ${name} again`}
          onClick={onRetry}
          disabled={seconds > 0}
        >
          Try again
        </button>
      ) : null}
      {onRemove === undefined ? null : (
        <button
          type="button"
          className="quiet small"
          aria-label={`Remove ${name}`}
          title="Remove"
          onClick={onRemove}
        >
          <Icon d={signs.cross} />
        </button>
      )}
    </li>
  );
}

function stateInWords(state: FileState): string {
  switch (state.kind) {
    case "waiting":
      return "Waiting";
    case "uploading":
      return `Uploading ${state.percent} %`;
    case "reading":
      return "Reading…";
    case "ready":
      return "Ready";
    case "failed":
      return state.why;
  }
}

/** Announcements for screen readers. */
function useTold(files: readonly ChatFile[]): string {
  const [told, setTold] = useState("");
  const before = useRef<readonly ChatFile[]>([]);
  useEffect(() => {
    const text = toldOfFiles(before.current, files);
    before.current = files;
    if (text !== "") setTold(text);
  }, [files]);
  useEffect(() => {
    const timer = setTimeout(() => setTold(""), 5000);
    return () => clearTimeout(timer);
  }, [told]);
  return told;
}
