/**
 * What outlives a reload: the session for this tab (sessionStorage: a closed tab signs out), the conversation's name for
 * this browser (localStorage: it is no secret, and useless without the session).
 */
import type { Session } from "./api.ts";

const sessionKey = "edgewise.session";
const runningKey = "edgewise.running";
const conversationKey = "edgewise.conversation";

export function keptSession(): Session | null {
  const text = sessionStorage.getItem(sessionKey);
  if (text === null) return null;
  const [token, user] = text.split("\n");
  return token && user ? { token, user } : null;
}

export function keepSession(session: Session): void {
  sessionStorage.setItem(sessionKey, `${session.token}\n${session.user}`);
}

export function forgetSession(): void {
  sessionStorage.removeItem(sessionKey);
}

export function keptConversation(): string {
  const kept = localStorage.getItem(conversationKey);
  if (kept !== null) return kept;
  const fresh = newConversation();
  keepConversation(fresh);
  return fresh;
}

export function keepConversation(name: string): void {
  localStorage.setItem(conversationKey, name);
}

export function newConversation(): string {
  return `chat-${crypto.randomUUID()}`;
}

/** The turn that is being answered, so that a reload can follow it on. */
export interface RunningAnswer {
  readonly conversation: string;
  readonly responseId: string;
  /** What the user said; the conversation holds it only when the turn has ended. */
  readonly text: string;
}

export function keepRunning(running: RunningAnswer): void {
  sessionStorage.setItem(runningKey, JSON.stringify(running));
}

export function forgetRunning(): void {
  sessionStorage.removeItem(runningKey);
}

/** The kept turn of this conversation, if there is one. */
export function keptRunning(conversation: string): RunningAnswer | null {
  const text = sessionStorage.getItem(runningKey);
  if (text === null) return null;
  const running = JSON.parse(text) as RunningAnswer;
  return running.conversation === conversation ? running : null;
}
