/**
 * The title of the browser's tab: the chat's name, and a mark while a new answer has not been seen. It distinguishes tabs and entries of the
 * history.
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
