/** One message, what became of it, and what can be done with it: edit, ask again, look at another version. */
import { memo, useState } from "react";
import { AnswerText } from "./answer-text.tsx";
import type { ChatMessage } from "./chat-state.ts";
import { CopyButton } from "./copy-button.tsx";
import { EditMessage } from "./edit-message.tsx";
import { maxMessageCharacters } from "./send-rules.ts";
import { SourceList, Sources } from "./sources.tsx";
import { isNoAnswer, noAnswer } from "./tell.ts";

const endings: Partial<Record<ChatMessage["status"], string>> = {
  stopped: "Stopped",
  filtered: "Ended by the content policy",
  cut: "The answer ended early",
};

/** The same each time, so that what is in an answer without sources is not rendered anew. */
const none = [] as const;

export interface MessageActions {
  /** `false`: not now. */
  readonly askAnew: (message: ChatMessage, text: string) => boolean;
  readonly showVersion: (branch: string) => void;
}

export const MessageView = memo(function MessageView({
  message,
  question,
  actions,
}: {
  readonly message: ChatMessage;
  /** What an answer answers, where it can be asked again. */
  readonly question: ChatMessage | null;
  /** `null`: nothing can be done at the moment. */
  readonly actions: MessageActions | null;
}) {
  const [editing, setEditing] = useState(false);
  // Whoever leaves the message as it was is back at the button, until he goes elsewhere.
  const [cancelled, setCancelled] = useState(false);
  const ending = isNoAnswer(message) ? noAnswer : endings[message.status];
  const { versions } = message;
  const running = message.status === "waiting" || message.status === "streaming";
  const copyable = message.role === "assistant" && message.text !== "" && !running;
  const changeable = versions !== undefined || message.behind !== undefined || question !== null;
  // Not while nothing can be done either is an edit taken away: what was typed in it would be lost.
  if (editing)
    return (
      <article className="message user editing">
        <h2 className="visually-hidden">You</h2>
        <EditMessage
          text={message.text}
          blocked={actions === null}
          onCancel={() => {
            setEditing(false);
            setCancelled(true);
          }}
          onSend={(text) => {
            if (actions?.askAnew(message, text) === true) setEditing(false);
          }}
        />
      </article>
    );
  return (
    <article className={`message ${message.role}`} data-status={message.status}>
      <h2 className="visually-hidden">{message.role === "user" ? "You" : "Assistant"}</h2>
      {message.reasoning === "" ? null : (
        <details className="reasoning" open={message.text === "" && message.status === "streaming"}>
          <summary>Reasoning</summary>
          <p dir="auto">{message.reasoning}</p>
        </details>
      )}
      {message.pictures === undefined ? null : (
        <div className="pictures">
          {message.pictures.map((url, at) => (
            // They neither come nor go by themselves.
            <img key={at} src={url} alt={`Attached picture ${at + 1}`} />
          ))}
        </div>
      )}
      {message.files === undefined ? null : (
        <p className="came-along" dir="auto">
          With it came {message.files.join(", ")}
        </p>
      )}
      {message.role === "user" ? (
        <p className="said" dir="auto">
          {message.text}
        </p>
      ) : (
        <Sources value={message.sources ?? none}>
          <div className="answer" data-copied>
            <AnswerText text={message.text} />
          </div>
        </Sources>
      )}
      {message.status === "waiting" ? (
        <p className="thinking" aria-hidden="true">
          <i />
          <i />
          <i />
        </p>
      ) : null}
      {message.sources === undefined ? null : <SourceList sources={message.sources} />}
      {ending === undefined ? null : <p className="ending">{ending}</p>}
      {copyable || (actions !== null && changeable) ? (
        <div className="actions">
          {versions === undefined || actions === null ? null : (
            <Versions branches={versions.branches} at={versions.at} onShow={actions.showVersion} />
          )}
          {copyable ? <CopyButton text={message.text} of="answer" within="article" asShown /> : null}
          {actions !== null &&
          message.role === "user" &&
          message.behind !== undefined &&
          message.text.length <= maxMessageCharacters ? (
            <button
              type="button"
              className="quiet small"
              autoFocus={cancelled}
              onBlur={() => setCancelled(false)}
              onClick={() => setEditing(true)}
            >
              Edit
            </button>
          ) : null}
          {question === null || actions === null ? null : (
            <button
              type="button"
              className="quiet small"
              onClick={() => actions.askAnew(question, question.text)}
            >
              Regenerate
            </button>
          )}
        </div>
      ) : null}
    </article>
  );
});

function Versions(props: {
  readonly branches: readonly string[];
  readonly at: number;
  readonly onShow: (branch: string) => void;
}) {
  const { branches, at } = props;
  const before = branches[at - 1];
  const behind = branches[at + 1];
  // Not `disabled`: at the last one the button would lose the focus of who pressed it.
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
