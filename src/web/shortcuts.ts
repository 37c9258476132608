/**
 * Which keys work everywhere on the page? No single letters: users with speech input, or who hit keys by mistake, would trigger them
 * (WCAG 2.1.4).
 */
import { useEffect, useRef } from "react";
import { composes } from "./keys.ts";

export type Command = "new-chat" | "find-chat" | "message" | "keys";

type Key = Pick<KeyboardEvent, "key" | "shiftKey" | "altKey" | "ctrlKey" | "metaKey">;

/** @param isMac uses Command in place of Control */
export function commandOf({ key, shiftKey, altKey, ctrlKey, metaKey }: Key, isMac: boolean): Command | null {
  if (altKey) return null;
  if (key === "Escape" && shiftKey && !ctrlKey && !metaKey) return "message";
  if (ctrlKey === metaKey || metaKey !== isMac) return null;
  // On some keyboards this key needs Shift.
  if (key === "/") return "keys";
  if (key.toLowerCase() === "o" && shiftKey) return "new-chat";
  return key.toLowerCase() === "k" && !shiftKey ? "find-chat" : null;
}

export function isMac(): boolean {
  return /mac|iphone|ipad/i.test(navigator.platform);
}

export function useShortcuts(run: (command: Command) => void): void {
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  }, [run]);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || composes(event) || document.querySelector("dialog[open]") !== null)
        return;
      const command = commandOf(event, isMac());
      if (command === null) return;
      event.preventDefault();
      latest.current(command);
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}
