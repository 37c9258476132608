import { lazy, memo, Suspense } from "react";
import type { ChatMessage } from "./chat-state.ts";

/** The Markdown reader is a third of the page's code and is not needed before the first answer. */
const Markdown = lazy(() => import("./markdown.tsx").then((module) => ({ default: module.Markdown })));

const endings: Partial<Record<ChatMessage["status"], string>> = {
  stopped: "Stopped",
  filtered: "Ended by the content policy",
  cut: "The answer ended early",
};

export const MessageView = memo(function MessageView({ message }: { readonly message: ChatMessage }) {
  const ending = endings[message.status];
  return (
    <article className={`message ${message.role}`} data-status={message.status}>
      <h2 className="visually-hidden">{message.role === "user" ? "You" : "Assistant"}</h2>
      {message.reasoning === "" ? null : (
        <details className="reasoning" open={message.text === "" && message.status === "streaming"}>
          <summary>Reasoning</summary>
          <p>{message.reasoning}</p>
        </details>
      )}
      {message.role === "user" ? (
        <p className="said">{message.text}</p>
      ) : (
        <Suspense fallback={<p className="plain">{message.text}</p>}>
          <Markdown text={message.text} />
        </Suspense>
      )}
      {message.status === "waiting" ? (
        <p className="thinking" role="status">
          <span className="visually-hidden">Waiting for the answer</span>
          <i />
          <i />
          <i />
        </p>
      ) : null}
      {ending === undefined ? null : <p className="ending">{ending}</p>}
    </article>
  );
});
