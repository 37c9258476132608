/**
 * The page: signed out or in. What is behind the sign-in is fetched while somebody signs in: a session lasts as long as its tab, so that no
 * first visit has one.
 */
import { useCallback, useEffect, useState, type ComponentType } from "react";
import type { Session } from "./api.ts";
import { forgetSession, keepSession, keptSession } from "./keep.ts";
import { SignIn } from "./sign-in.tsx";
import type { SignedInProps } from "./signed-in.tsx";

const loading = import("./signed-in.tsx");

export function App() {
  const [session, setSession] = useState<Session | null>(keptSession);
  const [ended, setEnded] = useState(false);
  const [behind, setBehind] = useState<ComponentType<SignedInProps> | "loading" | "lost">("loading");
  useEffect(() => {
    loading.then(
      ({ SignedIn }) => setBehind(() => SignedIn),
      // Its file is out of reach, or was replaced by a newer page's.
      () => setBehind("lost"),
    );
  }, []);
  const leave = useCallback((hasEnded: boolean) => {
    forgetSession();
    setSession(null);
    setEnded(hasEnded);
  }, []);
  const onSignOut = useCallback(() => leave(false), [leave]);
  const onEnded = useCallback(() => leave(true), [leave]);
  if (session === null) {
    return (
      <SignIn
        ended={ended}
        onSession={(next) => {
          keepSession(next);
          setSession(next);
        }}
      />
    );
  }
  if (behind === "loading") return null;
  if (behind === "lost")
    return (
      <main className="sign-in">
        <p role="alert" className="problem">
          The page could not be loaded whole. Check your connection, then try again.
        </p>
        <button type="button" className="primary" onClick={() => location.reload()}>
          Try again
        </button>
      </main>
    );
  const SignedIn = behind;
  return <SignedIn session={session} onSignOut={onSignOut} onEnded={onEnded} />;
}
