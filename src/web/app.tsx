/** The page: signed out or in, which model, which conversation. */
import { useCallback, useEffect, useRef, useState } from "react";
import { ApiError, listModels, type Session } from "./api.ts";
import { ChatView } from "./chat-view.tsx";
import { ConversationList } from "./conversation-list.tsx";
import { SignIn } from "./sign-in.tsx";
import { useConversations } from "./use-conversations.ts";
import {
  forgetSession,
  keepConversation,
  keepSession,
  keptConversation,
  keptSession,
  newConversation,
} from "./keep.ts";

export function App() {
  const [session, setSession] = useState<Session | null>(keptSession);
  const signOut = useCallback(() => {
    forgetSession();
    setSession(null);
  }, []);
  if (session === null) {
    return (
      <SignIn
        onSession={(next) => {
          keepSession(next);
          setSession(next);
        }}
      />
    );
  }
  return <SignedIn session={session} onSignOut={signOut} />;
}

function SignedIn({ session, onSignOut }: { readonly session: Session; readonly onSignOut: () => void }) {
  const [conversation, setConversation] = useState(keptConversation);
  const [models, setModels] = useState<readonly string[]>([]);
  const [model, setModel] = useState("auto");
  /** Where there is no room for both, the chats lie over the chat. */
  const [chatsOpen, setChatsOpen] = useState(false);
  const conversations = useConversations(session.token);
  /** Which chat is open when a deletion has been answered, which may be another one than when it was asked for. */
  const opened = useRef(conversation);
  useEffect(() => {
    opened.current = conversation;
  }, [conversation]);

  useEffect(() => {
    let wanted = true;
    listModels(session.token).then(
      (known) => {
        if (wanted) setModels(known);
      },
      (error: unknown) => {
        // Only a refused credential ends the session; anything else shows when a message is sent.
        if (wanted && error instanceof ApiError && error.failure.status === 401) onSignOut();
      },
    );
    return () => {
      wanted = false;
    };
  }, [session, onSignOut]);

  useEffect(() => {
    if (!chatsOpen) return;
    const close = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      // It closes the list, and stops no answer behind it.
      event.preventDefault();
      setChatsOpen(false);
    };
    window.addEventListener("keydown", close, true);
    return () => window.removeEventListener("keydown", close, true);
  }, [chatsOpen]);

  const open = useCallback((id: string) => {
    keepConversation(id);
    setConversation(id);
    setChatsOpen(false);
  }, []);
  const startNew = useCallback(() => {
    setConversation(newConversation());
    setChatsOpen(false);
  }, []);

  return (
    <div className="shell">
      <header>
        <div className="row">
          <button
            type="button"
            className="quiet chats-toggle"
            aria-expanded={chatsOpen}
            aria-controls="chats"
            onClick={() => setChatsOpen(!chatsOpen)}
          >
            <span aria-hidden="true">☰</span> Chats
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
              <select value={model} onChange={(event) => setModel(event.target.value)}>
                {models.map((id) => (
                  <option key={id} value={id}>
                    {id}
                  </option>
                ))}
              </select>
            </label>
          ) : null}
          <button type="button" className="quiet" onClick={onSignOut} title={`Signed in as ${session.user}`}>
            Sign out
          </button>
        </div>
      </header>
      <div className={chatsOpen ? "room chats-open" : "room"}>
        <ConversationList
          conversations={conversations}
          current={conversation}
          onOpen={open}
          onNew={startNew}
          onDeleted={(id) => {
            if (id === opened.current) startNew();
          }}
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
            key={`${session.user}/${conversation}`}
            token={session.token}
            conversation={conversation}
            model={model}
            onSaved={conversations.refresh}
          />
        </div>
      </div>
    </div>
  );
}
