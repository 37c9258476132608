/** The foot of a message: its sources, its actions (copy, edit, ask again, show another version), and its model. */
import type { ReactNode } from "react";
import type { ChatMessage } from "./chat-state.ts";
import { CopyButton } from "./copy-button.tsx";
import { Icon } from "./icon.tsx";
import { maxMessageCharacters } from "./send-rules.ts";
import { SourceList } from "./sources.tsx";

const editSign = "M4 20l1-4L16.2 4.8a1.7 1.7 0 0 1 2.4 0l.6.6a1.7 1.7 0 0 1 0 2.4L8 19zM14 7l3 3";
const againSign =
  "M19.5 11A7.6 7.6 0 0 0 6 7.2L4.2 9M4.2 4.5V9h4.5M4.5 13A7.6 7.6 0 0 0 18 16.8l1.8-1.8M19.8 19.5V15h-4.5";

export interface MessageActions {
  /** Returns `false`: not possible now. */
  readonly askAnew: (message: ChatMessage, text: string) => boolean;
  /** Asks for the rest of an answer that ended early. */
  readonly goOn: () => void;
  readonly showVersion: (branch: string) => void;
}

export function MessageFoot({
  message,
  question,
  actions,
  isLast,
  edit,
}: {
  readonly message: ChatMessage;
  /** The question of an answer, if it can be asked again. */
  readonly question: ChatMessage | null;
  /** `null`: no action is possible at the moment. */
  readonly actions: MessageActions | null;
  readonly isLast: boolean;
  readonly edit: {
    readonly begin: () => void;
    /** After a cancelled edit the focus is back at the button. */
    readonly wasLeft: boolean;
    readonly forget: () => void;
  };
}): ReactNode {
  const { versions } = message;
  const isRunning = message.status === "waiting" || message.status === "streaming";
  const isCopyable = message.text !== "" && !isRunning;
  const isAnswer = message.role === "assistant";
  const isChangeable = versions !== undefined || message.behind !== undefined || question !== null;
  return (
    <>
      {message.sources === undefined ? null : <SourceList sources={message.sources} />}
      {isCopyable || (actions !== null && isChangeable) ? (
        <div className="actions">
          {versions === undefined || actions === null ? null : (
            <Versions branches={versions.branches} at={versions.at} onShow={actions.showVersion} />
          )}
          {isCopyable ? (
            <CopyButton
              text={message.text}
              of={isAnswer ? "answer" : "message"}
              within="article"
              asShown={isAnswer}
            />
          ) : null}
          {actions !== null &&
          !isAnswer &&
          message.behind !== undefined &&
          message.text.length <= maxMessageCharacters ? (
            <button
              type="button"
              className="quiet small sign"
              title="Edit"
              autoFocus={edit.wasLeft}
              onBlur={edit.forget}
              onClick={edit.begin}
            >
              <Icon d={editSign} />
              <span className="visually-hidden">Edit</span>
            </button>
          ) : null}
          {isAnswer && isLast && actions !== null && isUnfinished(message) ? (
            <button type="button" className="quiet small" onClick={actions.goOn}>
              Continue
            </button>
          ) : null}
          {question === null || actions === null ? null : (
            <button
              type="button"
              className="quiet small sign"
              title="Regenerate"
              onClick={() => actions.askAnew(question, question.text)}
            >
              <Icon d={againSign} />
              <span className="visually-hidden">Regenerate</span>
            </button>
          )}
          {message.model ? (
            <span className="model" title={`Answered by ${message.model}`}>
              <span className="visually-hidden">Answered by </span>
              {message.model}
            </span>
          ) : null}
        </div>
      ) : null}
    </>
  );
}

/** Whether the answer is incomplete but can be continued. */
function isUnfinished({ status, text }: ChatMessage): boolean {
  return text !== "" && (status === "cut" || status === "stopped");
}

function Versions(props: {
  readonly branches: readonly string[];
  readonly at: number;
  readonly onShow: (branch: string) => void;
}) {
  const { branches, at } = props;
  const before = branches[at - 1];
  const behind = branches[at + 1];
  // Not `disabled`, so that the pressed button keeps the focus at the last version.
  return (
    <span className="versions" role="group" aria-label="Versions of this message">
      <button
        type="button"
        className="quiet small"
        aria-label="Previous version"
        aria-disabled={before === undefined}
        onClick={() => before !== undefined && props.onShow(before)}
      >
        ‹
      </button>
      <span>
        <span className="visually-hidden">Version </span>
        {at + 1}/{branches.length}
      </span>
      <button
        type="button"
        className="quiet small"
        aria-label="Next version"
        aria-disabled={behind === undefined}
        onClick={() => behind !== undefined && props.onShow(behind)}
      >
        ›
      </button>
    </span>
  );
}
