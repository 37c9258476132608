/**
 * The page, signed out or in. The code behind the sign-in is loaded while the user signs in: a session lasts as long as its tab, so a first
 * visit never has one.
 */
import { Component, useCallback, useEffect, useState, type ComponentType, type ReactNode } from "react";
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
      // Its file is unreachable, or was replaced by a newer version's.
      () => setBehind("lost"),
    );
  }, []);
  const leave = useCallback((hasEnded: boolean) => {
    forgetSession(!hasEnded);
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
  if (behind === "loading")
    return (
      <main className="sign-in">
        <p role="status" className="late">
          Loading…
        </p>
      </main>
    );
  if (behind === "lost")
    return <Stopped>The page could not be loaded whole. Check your connection, then try again.</Stopped>;
  const SignedIn = behind;
  return (
    <SaidWhereItFails>
      <SignedIn session={session} onSignOut={onSignOut} onEnded={onEnded} />
    </SaidWhereItFails>
  );
}

/** Shows a message instead of an empty page if rendering fails. */
class SaidWhereItFails extends Component<{ readonly children: ReactNode }> {
  override readonly state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return <Stopped>This page has stopped, which is our fault. What you have sent is kept.</Stopped>;
  }
}

function Stopped({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <main className="sign-in">
      <p role="alert" className="problem">
        {children}
      </p>
      <button type="button" className="primary" onClick={() => location.reload()}>
        Try again
      </button>
    </main>
  );
}
