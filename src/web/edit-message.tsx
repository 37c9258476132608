/** Edits a message of the user. Enter sends, Escape cancels. */
import { useEffect, useRef, useState } from "react";
import { composes, isTouch, sends } from "./keys.ts";
import { maxMessageCharacters } from "./send-rules.ts";
import { useGrowingHeight } from "./use-growing-height.ts";

export function EditMessage(props: {
  readonly text: string;
  /** Sending is not possible at the moment. */
  readonly blocked: boolean;
  readonly onSend: (text: string) => void;
  readonly onCancel: () => void;
}) {
  const [text, setText] = useState(props.text);
  const field = useRef<HTMLTextAreaElement>(null);
  const maySend = !props.blocked && text.trim() !== "" && text.length <= maxMessageCharacters;

  useEffect(() => {
    const element = field.current;
    element?.focus();
    element?.setSelectionRange(element.value.length, element.value.length);
  }, []);

  useGrowingHeight(field, text);

  return (
    <form
      className="edit"
      onSubmit={(event) => {
        event.preventDefault();
        if (maySend) props.onSend(text);
      }}
    >
      <textarea
        ref={field}
        dir="auto"
        aria-label="Edit message"
        rows={1}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape" && !composes(event.nativeEvent)) {
            event.preventDefault();
            props.onCancel();
          }
          if (!sends(event.nativeEvent, isTouch())) return;
          event.preventDefault();
          if (maySend) props.onSend(text);
        }}
      />
      <div className="row">
        <button type="button" className="quiet" onClick={props.onCancel}>
          Cancel
        </button>
        <button type="submit" className="primary" disabled={!maySend}>
          Send
        </button>
      </div>
    </form>
  );
}
