import { expect, test } from "vitest";
import { Shelf } from "./shelf.ts";

class FakeStorage {
  readonly entries = new Map<string, string>();
  isFull = false;
  getItem = (key: string): string | null => this.entries.get(key) ?? null;
  removeItem = (key: string): void => void this.entries.delete(key);
  setItem = (key: string, value: string): void => {
    if (this.isFull) throw new DOMException("full", "QuotaExceededError");
    this.entries.set(key, value);
  };
}

test("what another tab has written since is seen: a list that both add to loses nothing", () => {
  const storage = new FakeStorage();
  const [one, another] = [0, 1].map(() => new Shelf(() => storage as unknown as Storage));
  one?.set("list", "a");
  another?.set("list", `${another.get("list")},b`);
  one?.set("list", `${one.get("list")},c`);
  expect(another?.get("list")).toBe("a,b,c");
  another?.remove("list");
  expect(one?.get("list")).toBeNull();
});

test("what the storage has no room for is in memory until it has", () => {
  const storage = new FakeStorage();
  const shelf = new Shelf(() => storage as unknown as Storage);
  shelf.set("key", "before");
  storage.isFull = true;
  shelf.set("key", "now");
  expect(shelf.get("key")).toBe("now");
  storage.isFull = false;
  shelf.set("key", "later");
  storage.setItem("key", "another tab's");
  expect(shelf.get("key")).toBe("another tab's");
});
