/** One conversation on screen: its messages, the last error, and the field. */
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useMessageParts, useMessagePartsLost } from "./answer-text.tsx";
import { keyOf, type ChatMessage, type ChatState } from "./chat-state.ts";
import { Composer } from "./composer.tsx";
import { AttachButton } from "./files/attach-button.tsx";
import { isOnItsWay, picturesOf, type FilesView } from "./files/chat-file.ts";
import { filesNotLoaded } from "./files/files-of-chat.ts";
import { useChatFiles } from "./files/use-chat-files.ts";
import { useSendWhenRead } from "./files/use-send-when-read.ts";
import { MessageView } from "./message-view.tsx";
import { NoticeBar } from "./notice-bar.tsx";
import { PageNote } from "./page-note.tsx";
import { toldOf } from "./tell.ts";
import { useChat } from "./use-chat.ts";
import { useMounted } from "./use-mounted.ts";
import { useOnline } from "./use-online.ts";
import { askedHere, useScroll } from "./use-scroll.ts";

const suggestions = [
  "Explain quantum computing to a child",
  "Draft a reply to a customer whose order is late",
  "Write a function that merges two sorted lists",
];

export function ChatView({
  token,
  conversation,
  model,
  seeing,
  onSaved,
  onEnded,
}: {
  readonly token: string;
  readonly conversation: string;
  readonly model: string;
  /** The models that accept pictures; `null`: not known (yet). */
  readonly seeing: readonly string[] | null;
  readonly onSaved: () => void;
  /** The credential is no longer accepted, and the user wants to sign in again. */
  readonly onEnded: () => void;
}) {
  const { files, shown } = useChatFiles(token, conversation);
  const { FileBar, known, note } = shown;
  const saved = useCallback(() => {
    void files.saved();
    onSaved();
  }, [files, onSaved]);
  const chat = useChat(token, conversation, model, files, saved);
  const { state } = chat;
  const busy = state.phase !== "idle";
  const sending = useSendWhenRead(shown, busy, blindness(shown, model, seeing), chat.send);
  const attach = (chosen: readonly File[]): void => void files.add(chosen, seeing?.length !== 0);
  const online = useOnline();
  const scroller = useRef<HTMLElement>(null);
  const { messages } = state;
  const mounted = useMounted(messages, askedHere(messages));
  const { from, to } = mounted;
  const shownMessages = messages.slice(from, to);
  const sticks = useScroll(scroller, shownMessages, to === messages.length);
  const parts = useMessageParts();
  const isPlain = useMessagePartsLost();
  const told = useTold(state);
  const notice = online
    ? state.notice
    : ({
        kind: "offline",
        title: "You are offline",
        advice: "What you type is kept. Sending works again when the connection is back.",
        retry: false,
      } as const);
  const { askAnew, showVersion, goOn } = chat;
  // Stays the same during typing, so that no message is rendered for a letter in the field.
  const actions = useMemo(
    () => (busy || !online || !known ? null : { askAnew, showVersion, goOn }),
    [busy, online, known, askAnew, showVersion, goOn],
  );

  const place = useRef<number | null>(null);
  const recalls = (event: KeyboardEvent<HTMLTextAreaElement>): boolean => {
    const text = parts?.recall(event, place, askedIn(messages)) ?? null;
    if (text !== null) chat.setDraft(text);
    return text !== null;
  };

  return (
    <>
      {/* Focusable, so that the keyboard can scroll it. */}
      <main ref={scroller} className="messages" tabIndex={0} aria-label="Conversation">
        {/* Not announced on each change: see tell.ts. */}
        <div role="log" aria-live="off" aria-label="Messages" className="column">
          {state.phase === "restoring" ? <p className="fine center late">Loading the conversation…</p> : null}
          {messages.length === 0 && state.phase === "idle" ? (
            <section className="welcome">
              <h2>What would you like to know?</h2>
              <ul>
                {suggestions.map((text) => (
                  <li key={text}>
                    <button
                      type="button"
                      disabled={!online || sending.waiting}
                      onClick={() => sending.send(text)}
                    >
                      {text}
                    </button>
                  </li>
                ))}
              </ul>
            </section>
          ) : null}
          {parts === null ? null : (
            <parts.EarlierMessages
              scroller={scroller}
              messages={messages}
              mounted={mounted}
              hasMore={state.hasEarlier}
              busy={busy}
              onLoad={chat.showEarlier}
            />
          )}
          {shownMessages.map((message, at) => (
            <MessageView
              key={keyOf(message)}
              message={message}
              question={questionOf(messages, from + at)}
              actions={actions}
              isLast={from + at === messages.length - 1}
            />
          ))}
          {parts === null ? null : (
            <parts.LaterMessages scroller={scroller} messages={messages} mounted={mounted} />
          )}
        </div>
      </main>
      <footer>
        {parts === null ? null : (
          <parts.QuoteButton scroller={scroller} draft={state.draft} onDraft={chat.setDraft} />
        )}
        {parts !== null && to === messages.length ? (
          <parts.ToLatest scroller={scroller} sticks={sticks} />
        ) : null}
        <div className="column">
          <p className="visually-hidden" role="status">
            {told}
          </p>
          {notice === null ? null : (
            <NoticeBar
              notice={notice}
              onRetry={chat.tryAgain}
              onDismiss={() => {
                chat.dismiss();
                // The pressed button is gone.
                scroller.current?.focus();
              }}
              onSignIn={onEnded}
              busy={busy || !known || shown.files.some(isOnItsWay)}
            />
          )}
          {isPlain && online ? (
            <PageNote reloads>
              A part of this page could not be loaded, so answers are shown as they were written, and nothing
              can be done with them. There may be a newer version of the page.
            </PageNote>
          ) : null}
          {FileBar !== null ? (
            <FileBar view={shown} onRemove={files.remove} onRetry={files.retry} onDismiss={files.dismiss} />
          ) : note === null ? null : (
            <PageNote
              reloads={note === filesNotLoaded}
              onDismiss={() => {
                files.dismiss();
                document.getElementById("attach")?.focus();
              }}
            >
              {note}
            </PageNote>
          )}
          {sending.held === null ? null : (
            <p className="file-note" role="alert">
              {sending.held}
            </p>
          )}
          <p className={sending.waiting ? "fine" : "visually-hidden"} role="status">
            {sending.waiting ? "Your message goes out as soon as the files of this chat have been read." : ""}
          </p>
          <Composer
            attach={<AttachButton refused={shown.refused} onFiles={attach} />}
            onPasted={attach}
            waiting={sending.waiting}
            draft={state.draft}
            recalls={recalls}
            phase={state.phase}
            blocked={!online}
            limitedUntilMs={state.notice?.kind === "limit" ? (state.notice.untilMs ?? null) : null}
            onDraft={chat.setDraft}
            onSend={() => sending.send()}
            onStop={sending.waiting ? sending.cancel : chat.stop}
          />
        </div>
      </footer>
      {parts === null ? null : <parts.DropHere onFiles={attach} />}
    </>
  );
}

/** Why this model can't get the attached pictures; `null`: it can, or there are none. */
function blindness(shown: FilesView, model: string, seeing: readonly string[] | null): string | null {
  if (seeing === null || seeing.includes(model) || picturesOf(shown).length === 0) return null;
  return `${model} can't look at pictures. Choose ${seeing.join(" or ") || "another model"} at the top, or remove the pictures.`;
}

function askedIn(messages: readonly ChatMessage[]): readonly string[] {
  return messages.flatMap(({ role, text }) => (role === "user" && text !== "" ? [text] : []));
}

/** The question of an answer, if it can be asked again. */
function questionOf(messages: readonly ChatMessage[], at: number): ChatMessage | null {
  if (messages[at]?.role !== "assistant") return null;
  const before = messages[at - 1];
  return before?.role === "user" && before.behind !== undefined ? before : null;
}

/** Announcements for screen readers; emptied after reading, so that the text is not found twice. */
function useTold(state: ChatState): string {
  const [told, setTold] = useState("");
  const before = useRef(state);
  useEffect(() => {
    const text = toldOf(before.current, state);
    before.current = state;
    if (text !== null) setTold(text);
  }, [state]);
  useEffect(() => {
    const timer = setTimeout(() => setTold(""), 5000);
    return () => clearTimeout(timer);
  }, [told]);
  return told;
}
