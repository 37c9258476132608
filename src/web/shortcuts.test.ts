import { expect, test } from "vitest";
import { commandOf, type Command } from "./shortcuts.ts";

const none = { shiftKey: false, altKey: false, ctrlKey: false, metaKey: false };

test.each<[keys: Partial<Parameters<typeof commandOf>[0]> & { key: string }, command: Command | null]>([
  [{ key: "O", ctrlKey: true, shiftKey: true }, "new-chat"],
  [{ key: "o", ctrlKey: true }, null],
  [{ key: "k", ctrlKey: true }, "find-chat"],
  [{ key: "K", ctrlKey: true, shiftKey: true }, null],
  [{ key: "/", ctrlKey: true }, "keys"],
  [{ key: "/", ctrlKey: true, shiftKey: true }, "keys"],
  [{ key: "/" }, null],
  [{ key: "k" }, null],
  [{ key: "k", ctrlKey: true, altKey: true }, null],
  [{ key: "Escape", shiftKey: true }, "message"],
  [{ key: "Escape" }, null],
  // On Windows AltGr counts as Control and Alt, but it writes a letter.
  [{ key: "/", ctrlKey: true, altKey: true }, null],
])("%j means %s, and on a Mac the same with Command", (keys, command) => {
  expect(commandOf({ ...none, ...keys }, false)).toBe(command);
  const onMac = { ...none, ...keys, ctrlKey: false, metaKey: keys.ctrlKey ?? false };
  expect(commandOf(onMac, true)).toBe(command);
  if (keys.ctrlKey === true) expect(commandOf({ ...none, ...keys }, true)).toBeNull();
});
