/**
 * What outlives a reload: the session, the open conversation and what was typed and not sent for this tab (sessionStorage: a closed tab
 * signs out), and for the next tab the conversation that was opened last (localStorage: its name is no secret, and useless without the
 * session), and the model that was chosen.
 */
import type { Session } from "./api.ts";
import { Shelf } from "./shelf.ts";

const sessionKey = "edgewise.session";
const conversationKey = "edgewise.conversation";
const modelKey = "edgewise.model";
const tab = new Shelf(() => sessionStorage);
const browser = new Shelf(() => localStorage);
const draftsKey = "edgewise.drafts";
/** Who was signed in on this page last, and the chat that he had open when he signed out. */
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
  // Another user's chat is none of his: he would be told that it is gone.
  if (lastUser !== null && lastUser !== session.user) newConversation();
  else if (lastConversation !== null) keepConversation(lastConversation);
  lastConversation = null;
  lastUser = session.user;
  tab.remove(draftsKey);
  tab.set(sessionKey, `${session.token}\n${session.user}`);
}

/** @param signsOut somebody does so himself: whoever comes to this browser next finds no chat of his. Else his credential has ended. */
export function forgetSession(signsOut: boolean): void {
  tab.remove(sessionKey);
  tab.remove(draftsKey);
  if (!signsOut) return;
  const open = keptConversation();
  lastConversation = isUnused(open) ? null : open;
  newConversation();
}

/** What was typed and not sent, as text: for a reload of this tab, as long as its session. `null`: nothing. */
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

/** A name that was made here and not used yet: the server knows nothing of it, and need not be asked. */
let unused: string | null = null;

/** Kept once something is said in it. */
export function newConversation(): string {
  // Empty, not absent: another tab's is not meant.
  tab.set(conversationKey, "");
  browser.remove(conversationKey);
  unused ??= `chat-${crypto.randomUUID()}`;
  return unused;
}

export function isUnused(conversation: string): boolean {
  return unused === conversation;
}

/** Something is said in it: a reload is to bring it back. */
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
