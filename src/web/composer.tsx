/** The field for typing a message: Enter sends, Shift+Enter breaks the line, Escape stops a running answer. */
import { useEffect, useRef, type KeyboardEvent, type ReactNode } from "react";
import type { ChatState } from "./chat-state.ts";
import { pastedFiles } from "./files/pasted-files.ts";
import { Icon, signs } from "./icon.tsx";
import { composes, isTouch, sends } from "./keys.ts";
import { maxMessageCharacters } from "./send-rules.ts";
import { useGrowingHeight } from "./use-growing-height.ts";
import { useSecondsUntil } from "./use-seconds-until.ts";

export function Composer(props: {
  readonly draft: string;
  /** Whether a key brings an earlier message of the user into the field. */
  readonly recalls: (event: KeyboardEvent<HTMLTextAreaElement>) => boolean;
  readonly phase: ChatState["phase"];
  readonly blocked: boolean;
  readonly limitedUntilMs: number | null;
  readonly onDraft: (text: string) => void;
  readonly onSend: () => void;
  readonly onStop: () => void;
  /** In front of the field. */
  readonly attach: ReactNode;
  readonly onPasted: (files: readonly File[]) => void;
  /** The message was sent, and waits for its files. */
  readonly waiting: boolean;
}) {
  const field = useRef<HTMLTextAreaElement>(null);
  const limited = useSecondsUntil(props.limitedUntilMs) > 0;
  const running = props.phase === "waiting" || props.phase === "streaming" || props.phase === "stopping";
  const tooLong = props.draft.length > maxMessageCharacters;
  const maySend =
    props.phase === "idle" &&
    !props.waiting &&
    !props.blocked &&
    !limited &&
    !tooLong &&
    props.draft.trim() !== "";
  const stoppable = running || props.waiting;
  const stopping = props.waiting ? "Cancel" : props.phase === "stopping" ? "Stopping…" : "Stop";

  useGrowingHeight(field, props.draft);

  // Focus the field of an opened chat, except on a phone, where the keyboard would cover half of it.
  useEffect(() => {
    if (!isTouch()) field.current?.focus();
  }, []);

  useEffect(() => {
    const element = field.current;
    if (props.phase !== "idle" || element === null || isTouch()) return;
    // The end of an answer must not take the focus from a name, an edit or the answer; after Stop or Send it returns here.
    const { activeElement, body } = document;
    if (activeElement === null || activeElement === body || element.form?.contains(activeElement) === true)
      element.focus();
  }, [props.phase, props.waiting]);

  useEffect(() => {
    if (!stoppable) return;
    const stopOnEscape = (event: globalThis.KeyboardEvent): void => {
      // Escape from a name, an edit or an input method's candidates must not stop the answer.
      if (event.key !== "Escape" || event.shiftKey || event.defaultPrevented || composes(event)) return;
      props.onStop();
    };
    window.addEventListener("keydown", stopOnEscape);
    return () => window.removeEventListener("keydown", stopOnEscape);
  }, [stoppable, props.onStop]);

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (props.recalls(event)) return event.preventDefault();
    if (!sends(event.nativeEvent, isTouch())) return;
    event.preventDefault();
    if (maySend) props.onSend();
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        if (maySend) props.onSend();
      }}
    >
      <label htmlFor="message" className="visually-hidden">
        Message
      </label>
      <textarea
        id="message"
        dir="auto"
        ref={field}
        rows={1}
        value={props.draft}
        placeholder="Type a message"
        aria-invalid={tooLong}
        aria-describedby="message-hint"
        onChange={(event) => props.onDraft(event.target.value)}
        onKeyDown={onKeyDown}
        onPaste={(event) => {
          const files = pastedFiles(event.clipboardData);
          if (files.length === 0) return;
          event.preventDefault();
          props.onPasted(files);
        }}
      />
      <div className="composer-foot">
        {props.attach}
        <p
          id="message-hint"
          className={tooLong ? "fine problem" : "fine hint"}
          role={tooLong ? "alert" : undefined}
        >
          {tooLong
            ? `${(props.draft.length - maxMessageCharacters).toLocaleString("en")} characters too long. Shorten the message, or send it in parts.`
            : "Enter sends, Shift+Enter starts a new line, Escape stops."}
        </p>
        {stoppable ? (
          <button
            // A separate element from Send: a Stop button that turned into Send during a click would send.
            key="stop"
            type="button"
            className="primary round"
            title={stopping}
            // The second click of a double click on Send must not stop.
            onClick={({ detail }) => detail < 2 && props.onStop()}
            disabled={props.phase === "stopping"}
          >
            <Icon d={props.waiting ? signs.cross : signs.stop} />
            <span className="visually-hidden">{stopping}</span>
          </button>
        ) : (
          <button key="send" type="submit" className="primary round" title="Send" disabled={!maySend}>
            <Icon d={signs.up} />
            <span className="visually-hidden">Send</span>
          </button>
        )}
      </div>
    </form>
  );
}
