/** The page: signed out or in, which model, which conversation. */
import { useCallback, useEffect, useState } from "react";
import { ApiError, listModels, type Session } from "./api.ts";
import { ChatView } from "./chat-view.tsx";
import { SignIn } from "./sign-in.tsx";
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
  const [conversation, setConversation] = useState(keptConversation);
  const [models, setModels] = useState<readonly string[]>([]);
  const [model, setModel] = useState("auto");

  const signOut = useCallback(() => {
    forgetSession();
    setSession(null);
  }, []);

  useEffect(() => {
    if (session === null) return;
    let wanted = true;
    listModels(session.token).then(
      (known) => {
        if (wanted) setModels(known);
      },
      (error: unknown) => {
        // Only a refused credential ends the session; anything else shows when a message is sent.
        if (wanted && error instanceof ApiError && error.failure.status === 401) signOut();
      },
    );
    return () => {
      wanted = false;
    };
  }, [session, signOut]);

  const startNew = useCallback(() => {
    const fresh = newConversation();
    keepConversation(fresh);
    setConversation(fresh);
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
  return (
    <div className="shell">
      <header>
        <h1>
          <img src="/icon.svg" alt="" width={24} height={24} />
          Edgewise
        </h1>
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
          <button type="button" className="quiet" onClick={startNew}>
            New chat
          </button>
          <button type="button" className="quiet" onClick={signOut} title={`Signed in as ${session.user}`}>
            Sign out
          </button>
        </div>
      </header>
      <ChatView
        key={`${session.user}/${conversation}`}
        token={session.token}
        conversation={conversation}
        model={model}
      />
    </div>
  );
}
