import { expect, test } from "vitest";
import { composes, sends } from "./keys.ts";

const none = {
  key: "Enter",
  shiftKey: false,
  altKey: false,
  ctrlKey: false,
  metaKey: false,
  isComposing: false,
  keyCode: 13,
};

test("Enter sends; with Shift or Alt it is a new line", () => {
  expect(sends(none, false)).toBe(true);
  expect(sends({ ...none, shiftKey: true }, false)).toBe(false);
  expect(sends({ ...none, altKey: true }, false)).toBe(false);
  expect(sends({ ...none, key: "a" }, false)).toBe(false);
});

test("on a screen that is touched, which has no Shift to hold, Enter is a new line; with Ctrl or ⌘ it sends anywhere", () => {
  expect(sends(none, true)).toBe(false);
  expect(sends({ ...none, ctrlKey: true }, true)).toBe(true);
  expect(sends({ ...none, metaKey: true }, true)).toBe(true);
});

test("an input method's Enter chooses a candidate and sends nothing, in Safari too, which calls the composition over by then", () => {
  expect(sends({ ...none, isComposing: true }, false)).toBe(false);
  expect(sends({ ...none, keyCode: 229 }, false)).toBe(false);
  expect(composes({ isComposing: false, keyCode: 229 })).toBe(true);
});
