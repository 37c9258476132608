/** The page of a signed-in user: model and conversation. Loaded separately, since a first visit signs in first (app.tsx). */
import { useCallback, useEffect, useRef, useState } from "react";
import type { Session } from "./api.ts";
import { ChatView } from "./chat-view.tsx";
import { ChatsPanel } from "./chats-panel.tsx";
import { dropAllFiles } from "./files/files-of-chat.ts";
import { whoIs } from "./credential.ts";
import { Icon, signs } from "./icon.tsx";
import { composes, isTouch } from "./keys.ts";
import { LateCode, useIsLost, useLate } from "./late-code.ts";
import { useKeptDrafts } from "./use-kept-drafts.ts";
import { useModels } from "./use-models.ts";
import { useOpenChat } from "./use-open-chat.ts";

const accountCode = new LateCode(async () => import("./account-parts.ts"));

export interface SignedInProps {
  readonly session: Session;
  readonly onSignOut: () => void;
  /** The credential is no longer accepted. */
  readonly onEnded: () => void;
}

export function SignedIn({ session, onSignOut, onEnded }: SignedInProps) {
  useKeptDrafts(whoIs(session.token));
  const { chat, open, startNew, replace } = useOpenChat();
  const { models, model, seeing, choose } = useModels(session.token, onEnded);
  /** On a narrow screen the list lies over the chat. */
  const [chatsOpen, setChatsOpen] = useState(false);
  const account = useLate(accountCode);
  const isAccountLost = useIsLost(accountCode);
  const toggle = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLElement>(null);
  const [saves, setSaves] = useState(0);
  const onSaved = useCallback(() => setSaves((before) => before + 1), []);
  /** The open chat, read when a deletion is answered: by then it may be another one. */
  const opened = useRef(chat);
  useEffect(() => {
    opened.current = chat;
    setChatsOpen(false);
  }, [chat]);

  useEffect(() => {
    if (!chatsOpen) return;
    list.current?.querySelector("button")?.focus();
    const close = (event: KeyboardEvent): void => {
      // In a name's field Escape only cancels the change.
      if (event.key !== "Escape" || event.defaultPrevented || composes(event)) return;
      // Closes the list without stopping an answer (that listener is on the window).
      event.preventDefault();
      setChatsOpen(false);
      toggle.current?.focus();
    };
    document.addEventListener("keydown", close);
    return () => document.removeEventListener("keydown", close);
  }, [chatsOpen]);

  const beginNew = (): void => {
    setChatsOpen(false);
    startNew();
    if (!isTouch()) focusOnMessage();
  };
  const signOut = (): void => {
    // If only the credential has ended, they stay for the next sign-in.
    dropAllFiles();
    onSignOut();
  };

  return (
    <div className="shell">
      {/* Skips some thirty chats with three buttons each. */}
      <button type="button" className="skip" onClick={focusOnMessage}>
        Go to the message field
      </button>
      <header>
        <div className="row">
          <button
            ref={toggle}
            type="button"
            className="quiet round chats-toggle"
            title="Chats"
            aria-expanded={chatsOpen}
            aria-controls="chats"
            onClick={() => setChatsOpen(!chatsOpen)}
          >
            <Icon d={signs.menu} />
            <span className="visually-hidden">Chats</span>
          </button>
          <h1>
            <img src="/icon.svg" alt="" width={24} height={24} />
            Edgewise
          </h1>
        </div>
        <div className="controls">
          {models.length > 0 ? (
            <label>
              <span className="visually-hidden">Model</span>
              <select value={model} onChange={(event) => choose(event.target.value)}>
                {models.map((id) => (
                  <option key={id} value={id}>
                    {id}
                  </option>
                ))}
              </select>
            </label>
          ) : null}
          <button
            type="button"
            className="quiet round new-here"
            aria-label="New chat"
            title="New chat"
            onClick={beginNew}
          >
            <Icon d={signs.write} />
          </button>
          {account !== null ? (
            <account.Account session={session} onSignOut={signOut} onNew={beginNew} />
          ) : isAccountLost ? (
            <button type="button" className="quiet" onClick={signOut}>
              Sign out
            </button>
          ) : (
            <span className="round" />
          )}
        </div>
      </header>
      <div className={chatsOpen ? "room chats-open" : "room"}>
        <ChatsPanel
          ref={list}
          token={session.token}
          current={chat}
          saves={saves}
          onOpen={(id) => {
            setChatsOpen(false);
            if (id !== chat) open(id);
          }}
          onNew={beginNew}
          onDeleted={(id) => {
            if (id === opened.current) replace();
          }}
          onLeft={() => setChatsOpen(false)}
        />
        <button
          type="button"
          className="backdrop"
          aria-label="Close the list of chats"
          tabIndex={chatsOpen ? 0 : -1}
          onClick={() => setChatsOpen(false)}
        />
        <div className="chat">
          <ChatView
            key={`${session.user}/${chat}`}
            token={session.token}
            conversation={chat}
            model={model}
            seeing={seeing}
            onSaved={onSaved}
            onEnded={onEnded}
          />
        </div>
      </div>
    </div>
  );
}

function focusOnMessage(): void {
  document.getElementById("message")?.focus();
}
