/** One conversation on screen: its messages, what went wrong, and where to type. */
import { useEffect, useRef, type RefObject } from "react";
import type { ChatMessage } from "./chat-state.ts";
import { Composer } from "./composer.tsx";
import { MessageView } from "./message-view.tsx";
import { NoticeBar } from "./notice-bar.tsx";
import { useChat } from "./use-chat.ts";
import { useOnline } from "./use-online.ts";

const suggestions = [
  "Explain quantum computing",
  "Write a list of three good habits",
  "Show a short code example",
];

export function ChatView({
  token,
  conversation,
  model,
  onSaved,
}: {
  readonly token: string;
  readonly conversation: string;
  readonly model: string;
  readonly onSaved: () => void;
}) {
  const chat = useChat(token, conversation, model, onSaved);
  const online = useOnline();
  const { state } = chat;
  const scroller = useRef<HTMLDivElement>(null);
  useStickToBottom(scroller, state.messages.findLast(({ status }) => status === "waiting")?.id);
  const notice = online
    ? state.notice
    : ({
        kind: "offline",
        title: "You are offline",
        advice: "What you type is kept. Sending works again when the connection is back.",
        retry: false,
      } as const);
  const busy = state.phase !== "idle";
  const actions = busy || !online ? null : { askAnew: chat.askAnew, showVersion: chat.showVersion };

  return (
    <>
      <main ref={scroller} className="messages" tabIndex={-1}>
        <div
          role="log"
          aria-live="polite"
          aria-busy={state.phase === "streaming"}
          aria-label="Conversation"
          className="column"
        >
          {state.phase === "restoring" ? <p className="fine center">Loading the conversation…</p> : null}
          {state.messages.length === 0 && state.phase === "idle" ? (
            <section className="welcome">
              <h2>What would you like to know?</h2>
              <ul>
                {suggestions.map((text) => (
                  <li key={text}>
                    <button type="button" onClick={() => chat.send(text)}>
                      {text}
                    </button>
                  </li>
                ))}
              </ul>
            </section>
          ) : null}
          {state.hasEarlier ? (
            <p className="center">
              <button type="button" className="quiet" onClick={chat.showEarlier} disabled={busy}>
                Show earlier messages
              </button>
            </p>
          ) : null}
          {state.messages.map((message, at) => (
            <MessageView
              key={message.id}
              message={message}
              question={questionOf(state.messages, at)}
              actions={actions}
            />
          ))}
        </div>
      </main>
      <footer>
        <div className="column">
          {notice === null ? null : (
            <NoticeBar notice={notice} onRetry={chat.tryAgain} onDismiss={chat.dismiss} busy={busy} />
          )}
          <Composer
            draft={state.draft}
            phase={state.phase}
            blocked={!online}
            limitedUntilMs={state.notice?.kind === "limit" ? (state.notice.untilMs ?? null) : null}
            onDraft={chat.setDraft}
            onSend={() => chat.send()}
            onStop={chat.stop}
          />
        </div>
      </footer>
    </>
  );
}

/** What an answer answers, where that can be asked again. */
function questionOf(messages: readonly ChatMessage[], at: number): ChatMessage | null {
  if (messages[at]?.role !== "assistant") return null;
  const before = messages[at - 1];
  return before?.role === "user" && before.behind !== undefined ? before : null;
}

/**
 * Follows the answer as it grows, unless the reader has scrolled up to read; a message of their own brings them back down. What
 * grows beside it (the notice, the field) must not hide its end either.
 */
function useStickToBottom(scroller: RefObject<HTMLDivElement | null>, asked: string | undefined): void {
  const sticks = useRef(true);
  useEffect(() => {
    const element = scroller.current;
    const content = element?.firstElementChild;
    if (element === null || content === null || content === undefined) return;
    const watch = (): void => {
      sticks.current = element.scrollHeight - element.scrollTop - element.clientHeight < 80;
    };
    const follow = new ResizeObserver(() => {
      if (sticks.current) element.scrollTop = element.scrollHeight;
    });
    element.addEventListener("scroll", watch, { passive: true });
    for (const one of [element, content]) follow.observe(one);
    return () => {
      element.removeEventListener("scroll", watch);
      follow.disconnect();
    };
  }, [scroller]);
  useEffect(() => {
    const element = scroller.current;
    if (element === null || asked === undefined) return;
    sticks.current = true;
    element.scrollTop = element.scrollHeight;
  }, [scroller, asked]);
}
