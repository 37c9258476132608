/**
 * What outlives a reload: the session for this tab (sessionStorage: a closed tab signs out), the conversation's name for
 * this browser (localStorage: it is no secret, and useless without the session).
 */
import type { Session } from "./api.ts";

const sessionKey = "edgewise.session";
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
