/** What is left of the user's limits, and the use of each model. */
import { useCallback, useEffect, useState, type ReactNode } from "react";
import { failureOf, noticeOf } from "./failure-notice.ts";
import { type Limit, loadUsage, type Usage } from "./usage.ts";

export function UsageSheet({ token }: { readonly token: string }): ReactNode {
  const [usage, setUsage] = useState<Usage | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const load = useCallback((): void => {
    setProblem(null);
    loadUsage(token).then(setUsage, (error: unknown) => setProblem(problemOf(error)));
  }, [token]);
  useEffect(load, [load]);
  if (problem !== null)
    return (
      <p role="alert">
        {problem}{" "}
        <button type="button" className="small" onClick={load}>
          Try again
        </button>
      </p>
    );
  if (usage === null) return <p role="status">Loading…</p>;
  return (
    <>
      <h3>Your limits</h3>
      <Limits limits={usage.own} />
      {usage.models.length === 0 ? null : (
        <>
          <h3>Models this month</h3>
          <table>
            <thead>
              <tr>
                <th scope="col">Model</th>
                <th scope="col">Messages</th>
                <th scope="col">Tokens</th>
                <th scope="col">Cost</th>
              </tr>
            </thead>
            <tbody>
              {usage.models.map(({ model, messages, tokens, cost }) => (
                <tr key={model}>
                  <th scope="row">{model}</th>
                  <td>{messages}</td>
                  <td>{tokens}</td>
                  <td>{cost}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
      {usage.organisation.length === 0 ? null : (
        <details>
          <summary>Limits of everyone in your organisation together</summary>
          <Limits limits={usage.organisation} />
        </details>
      )}
    </>
  );
}

function Limits({ limits }: { readonly limits: readonly Limit[] }): ReactNode {
  return (
    <ul className="limits">
      {limits.map(({ name, share, used, whole }) => (
        <li key={name}>
          <span>{name}</span>
          <span>{used}</span>
          <meter aria-label={name} value={share} high={0.9} optimum={0} />
          {whole === null ? null : <span className="fine">{whole}</span>}
        </li>
      ))}
    </ul>
  );
}

function problemOf(error: unknown): string {
  const { title } = noticeOf(error);
  return failureOf(error).status === 0 ? `${title}. Check your connection.` : `${title}.`;
}
