/** One message and its status. Its actions are in message-foot.tsx. */
import { memo, useState } from "react";
import { AnswerText, useMessageParts } from "./answer-text.tsx";
import type { ChatMessage } from "./chat-state.ts";
import type { MessageActions } from "./message-foot.tsx";
import { shownName } from "../shared/wire/shown-name.ts";
import { isNoAnswer, noAnswer } from "./tell.ts";

const endings: Partial<Record<ChatMessage["status"], string>> = {
  stopped: "Stopped",
  filtered: "Ended by the content policy",
  cut: "The answer ended early",
};

/** A constant, so that an answer without sources is not rendered again. */
const none = [] as const;

export const MessageView = memo(function MessageView({
  message,
  question,
  actions,
  isLast,
}: {
  readonly message: ChatMessage;
  /** The question of an answer, if it can be asked again. */
  readonly question: ChatMessage | null;
  /** `null`: no action is possible at the moment. */
  readonly actions: MessageActions | null;
  readonly isLast: boolean;
}) {
  const [editing, setEditing] = useState(false);
  const [wasLeft, setLeft] = useState(false);
  const parts = useMessageParts();
  const ending = isNoAnswer(message) ? noAnswer : endings[message.status];
  // An open edit stays even while no action is possible, since its text would be lost.
  if (editing && parts !== null)
    return (
      <article className="message user editing">
        <h2 className="visually-hidden">You</h2>
        <parts.EditMessage
          text={message.text}
          blocked={actions === null}
          onCancel={() => {
            setEditing(false);
            setLeft(true);
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
            // Single pictures are never added or removed.
            <img key={at} src={url} alt={`Attached picture ${at + 1}`} />
          ))}
        </div>
      )}
      {message.files === undefined ? null : (
        <p className="came-along" dir="auto">
          With it came {message.files.map(shownName).join(", ")}
        </p>
      )}
      {message.role === "user" ? (
        parts === null ? (
          <p className="said" dir="auto">
            {message.text}
          </p>
        ) : (
          <parts.Said text={message.text} />
        )
      ) : (
        <div className="answer" data-copied>
          <AnswerText text={message.text} sources={message.sources ?? none} />
        </div>
      )}
      {message.status === "waiting" ? (
        <p className="thinking" aria-hidden="true">
          <i />
          <i />
          <i />
        </p>
      ) : null}
      {ending === undefined ? null : <p className="ending">{ending}</p>}
      {parts === null ? null : (
        <parts.MessageFoot
          message={message}
          question={question}
          actions={actions}
          isLast={isLast}
          edit={{ begin: () => setEditing(true), wasLeft, forget: () => setLeft(false) }}
        />
      )}
    </article>
  );
});
