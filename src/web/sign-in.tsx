/** The sign-in: one click in a local deployment, a token elsewhere. */
import { useEffect, useState, type FormEvent } from "react";
import { ApiError, demoSession, listModels, type Session } from "./api.ts";
import { pastedToken, signInProblem, userOf } from "./credential.ts";

export function SignIn(props: {
  /** The credential ended, without a sign-out. */
  readonly ended: boolean;
  readonly onSession: (session: Session) => void;
}) {
  const { onSession } = props;
  const [demo, setDemo] = useState<boolean | null>(null);
  const [busy, setBusy] = useState(false);
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState(props.ended ? "Your sign-in has ended. Please sign in again." : "");

  useEffect(() => {
    let wanted = true;
    fetch("/demo/session").then(
      (response) => wanted && setDemo(response.ok),
      () => wanted && setDemo(false),
    );
    return () => {
      wanted = false;
    };
  }, []);

  const signInAsDemo = async (): Promise<void> => {
    setBusy(true);
    const session = await demoSession();
    setBusy(false);
    if (session === null) setProblem("The demo sign-in did not answer. Is Edgewise still running?");
    else onSession(session);
  };

  const signInWithToken = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const given = pastedToken(token);
    if (given === null)
      return setProblem("That is no token: it holds characters that none has. Copy it anew.");
    if (given === "") return setProblem("Paste a token first.");
    setBusy(true);
    try {
      await listModels(given);
      onSession({ token: given, user: userOf(given) });
    } catch (error) {
      setProblem(signInProblem(error instanceof ApiError ? error.failure.status : 500));
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className="sign-in">
      <img src="/icon.svg" alt="" width={56} height={56} />
      <h1>Edgewise</h1>
      <p>Chat with the models of this deployment.</p>
      {demo === true ? (
        <button type="button" className="primary" disabled={busy} onClick={() => void signInAsDemo()}>
          Try the demo
        </button>
      ) : null}
      <form onSubmit={(event) => void signInWithToken(event)} aria-label="Sign in with a token">
        <label htmlFor="token">
          {demo === true ? "Or sign in with a token or API key" : "Sign in with a token or API key"}
        </label>
        <div className="row">
          <input
            id="token"
            type="password"
            autoComplete="off"
            spellCheck={false}
            value={token}
            placeholder="eyJ…"
            onChange={(event) => setToken(event.target.value)}
          />
          <button type="submit" disabled={busy}>
            Sign in
          </button>
        </div>
      </form>
      <p role="alert" className="problem">
        {problem}
      </p>
      <p className="fine">
        Building something? The <a href="/docs">API reference</a> has every route; any OpenAI client works.
      </p>
    </main>
  );
}
