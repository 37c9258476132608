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
  return localStorage.getItem(conversationKey) ?? newConversation();
}

export function keepConversation(name: string): void {
  localStorage.setItem(conversationKey, name);
}

/** Names that were made here and not used yet: the server knows nothing of them, and need not be asked. */
const unused = new Set<string>();

/** Kept once something is said in it. */
export function newConversation(): string {
  localStorage.removeItem(conversationKey);
  const name = `chat-${crypto.randomUUID()}`;
  unused.add(name);
  return name;
}

export function isUnused(conversation: string): boolean {
  return unused.has(conversation);
}

/** Something is said in it: a reload is to bring it back. */
export function beginConversation(conversation: string): void {
  unused.delete(conversation);
  keepConversation(conversation);
}
