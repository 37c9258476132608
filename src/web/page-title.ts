/**
 * What stands in the browser's tab: the chat's name, and a sign while an answer has ended that nobody has looked at yet. Tabs and the
 * browser's history are told apart by it.
 */

const appName = "Edgewise";
let chat: string | null = null;
let isUnseen = false;

/** @param title `null`: it has none (yet) */
export function nameTab(title: string | null): void {
  chat = title;
  write();
}

/** An answer has ended here. */
export function markAnswered(): void {
  if (!document.hidden) return;
  isUnseen = true;
  document.addEventListener("visibilitychange", see);
  write();
}

function see(): void {
  if (document.hidden) return;
  document.removeEventListener("visibilitychange", see);
  isUnseen = false;
  write();
}

function write(): void {
  const name = chat ? `${chat} – ${appName}` : appName;
  document.title = isUnseen ? `✓ ${name}` : name;
}
