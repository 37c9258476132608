import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { markAnswered, nameTab } from "./page-title.ts";

const page = Object.assign(new EventTarget(), { title: "", hidden: false });

beforeEach(() => {
  vi.stubGlobal("document", page);
  page.hidden = false;
  nameTab(null);
});
afterEach(() => vi.unstubAllGlobals());

test("a tab has the name of its chat, and the page's where that has none", () => {
  nameTab("Blue");
  expect(page.title).toBe("Blue – Edgewise");
  nameTab("");
  expect(page.title).toBe("Edgewise");
});

test("an answer that ended while nobody looked is marked until somebody does, whatever the chat is named meanwhile", () => {
  markAnswered();
  nameTab("Blue");
  expect(page.title).toBe("Blue – Edgewise");
  page.hidden = true;
  markAnswered();
  expect(page.title).toBe("✓ Blue – Edgewise");
  nameTab("Red");
  expect(page.title).toBe("✓ Red – Edgewise");
  page.dispatchEvent(new Event("visibilitychange"));
  expect(page.title).toBe("✓ Red – Edgewise");
  page.hidden = false;
  page.dispatchEvent(new Event("visibilitychange"));
  expect(page.title).toBe("Red – Edgewise");
});
