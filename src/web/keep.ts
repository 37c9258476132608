/**
 * State that outlives a reload. For this tab: the session, the open conversation and unsent text (sessionStorage: closing the tab signs out).
 * For the next tab: the conversation opened last (localStorage: its name is no secret, and useless without the session), and the chosen
 * model.
 */
import type { Session } from "./api.ts";
import { Shelf } from "./shelf.ts";

const sessionKey = "edgewise.session";
const conversationKey = "edgewise.conversation";
const modelKey = "edgewise.model";
const tab = new Shelf(() => sessionStorage);
const browser = new Shelf(() => localStorage);
const draftsKey = "edgewise.drafts";
/** The last user signed in on this page, and the chat that was open at the sign-out. */
let lastUser: string | null = null;
let lastConversation: string | null = null;

export function keptSession(): Session | null {
  const text = tab.get(sessionKey);
  if (text === null) return null;
  const [token, user] = text.split("\n");
  if (!token || !user) return null;
  lastUser = user;
  return { token, user };
}

export function keepSession(session: Session): void {
  // Another user's chat would be shown as deleted.
  if (lastUser !== null && lastUser !== session.user) newConversation();
  else if (lastConversation !== null) keepConversation(lastConversation);
  lastConversation = null;
  lastUser = session.user;
  tab.remove(draftsKey);
  tab.set(sessionKey, `${session.token}\n${session.user}`);
}

/** @param signsOut the user signs out, so the next user of this browser must find none of the chats. Else the credential has ended. */
export function forgetSession(signsOut: boolean): void {
  tab.remove(sessionKey);
  tab.remove(draftsKey);
  if (!signsOut) return;
  const open = keptConversation();
  lastConversation = isUnused(open) ? null : open;
  newConversation();
}

/** Keeps unsent text for a reload of this tab, as long as its session. `null`: none. */
export function keepDraftsOfTab(text: string | null): void {
  if (text === null || tab.get(sessionKey) === null) tab.remove(draftsKey);
  else tab.set(draftsKey, text);
}

export function keptDraftsOfTab(): string | null {
  return tab.get(draftsKey);
}

export function keptConversation(): string {
  const mine = tab.get(conversationKey) ?? browser.get(conversationKey);
  return mine === null || mine === "" ? newConversation() : mine;
}

export function keepConversation(name: string): void {
  tab.set(conversationKey, name);
  browser.set(conversationKey, name);
}

/** A name made here but not used yet: the server does not know it, so it need not be asked. */
let unused: string | null = null;

/** Stored only after its first message. */
export function newConversation(): string {
  // Empty, not absent: absent would mean the last tab's.
  tab.set(conversationKey, "");
  browser.remove(conversationKey);
  unused ??= `chat-${crypto.randomUUID()}`;
  return unused;
}

export function isUnused(conversation: string): boolean {
  return unused === conversation;
}

/** The conversation has a first message, so a reload should return to it. */
export function beginConversation(conversation: string): void {
  if (isUnused(conversation)) unused = null;
  keepConversation(conversation);
}

export function keptModel(): string {
  return browser.get(modelKey) ?? "auto";
}

export function keepModel(model: string): void {
  browser.set(modelKey, model);
}
