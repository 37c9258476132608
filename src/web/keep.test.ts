import { afterEach, beforeEach, expect, test, vi } from "vitest";

class FakeStorage {
  readonly entries = new Map<string, string>();
  full = false;
  getItem(key: string): string | null {
    return this.entries.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    if (this.full) throw new DOMException("full", "QuotaExceededError");
    this.entries.set(key, value);
  }
  removeItem(key: string): void {
    this.entries.delete(key);
  }
}

let browser: FakeStorage;
/** Opens a tab, or the same one after a reload. */
async function openTab(tab: FakeStorage) {
  vi.resetModules();
  vi.stubGlobal("sessionStorage", tab);
  vi.stubGlobal("localStorage", browser);
  return import("./keep.ts");
}

beforeEach(() => {
  browser = new FakeStorage();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const alice = { token: "a", user: "alice" };

test("where storage is full, one signs in and sends all the same", async () => {
  const tab = new FakeStorage();
  tab.full = true;
  browser.full = true;
  const keep = await openTab(tab);
  keep.keepSession(alice);
  keep.beginConversation("c");
  expect(keep.keptSession()).toEqual(alice);
  expect(keep.keptConversation()).toBe("c");
  keep.forgetSession(true);
  expect(keep.keptSession()).toBeNull();
});

test("where storage is blocked, the page opens all the same", async () => {
  const keep = await openTab(new FakeStorage());
  for (const name of ["sessionStorage", "localStorage"]) {
    vi.stubGlobal(
      name,
      new Proxy(
        {},
        {
          get: () => {
            throw new DOMException("blocked", "SecurityError");
          },
        },
      ),
    );
  }
  expect(keep.keptSession()).toBeNull();
  expect(keep.keptConversation()).toMatch(/^chat-/);
});

test("a reload brings back this tab's chat, not the one that another tab opened since", async () => {
  const first = new FakeStorage();
  (await openTab(first)).keepConversation("one");
  (await openTab(new FakeStorage())).keepConversation("two");
  expect((await openTab(first)).keptConversation()).toBe("one");
  expect((await openTab(new FakeStorage())).keptConversation()).toBe("two");
  (await openTab(first)).newConversation();
  (await openTab(new FakeStorage())).keepConversation("two");
  expect((await openTab(first)).keptConversation()).toMatch(/^chat-/);
});

test("whoever signs in after somebody else begins with a chat of his own", async () => {
  const keep = await openTab(new FakeStorage());
  keep.keepSession(alice);
  keep.keepConversation("conv_of_alice");
  keep.forgetSession(true);
  keep.keepSession(alice);
  expect(keep.keptConversation()).toBe("conv_of_alice");
  keep.forgetSession(true);
  keep.keepSession({ token: "b", user: "bob" });
  expect(keep.keptConversation()).not.toBe("conv_of_alice");
});

test("who signs out leaves no chat and no draft behind for who comes to this browser next; whose credential ends finds his chat again", async () => {
  const tab = new FakeStorage();
  const keep = await openTab(tab);
  keep.keepSession(alice);
  keep.keepConversation("conv_of_alice");
  keep.keepDraftsOfTab("half a thought");
  keep.forgetSession(false);
  expect(keep.keptDraftsOfTab()).toBeNull();
  expect((await openTab(tab)).keptConversation()).toBe("conv_of_alice");
  const again = await openTab(tab);
  again.keepSession(alice);
  again.keepDraftsOfTab("half a thought");
  again.forgetSession(true);
  expect([...tab.entries.values(), ...browser.entries.values()]).toEqual([""]);
  expect((await openTab(tab)).keptConversation()).toMatch(/^chat-/);
  expect((await openTab(new FakeStorage())).keptConversation()).toMatch(/^chat-/);
});

test("without a session nothing that was typed is kept", async () => {
  const tab = new FakeStorage();
  const keep = await openTab(tab);
  keep.keepDraftsOfTab("half a thought");
  expect(keep.keptDraftsOfTab()).toBeNull();
  keep.keepSession(alice);
  keep.keepDraftsOfTab("half a thought");
  expect((await openTab(tab)).keptDraftsOfTab()).toBe("half a thought");
});
