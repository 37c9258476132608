import { expect, test } from "vitest";
import { chatsNamed, isSearchable } from "./search-chats.ts";

const chats = ["Résumé für Berlin", "Berlin trip", "STRASSE nach Ankara", null].map((title, at) => ({
  id: String(at),
  title,
  begunMs: at,
}));
const found = (search: string): string[] => chatsNamed(chats, search).map(({ id }) => id);

test.each([
  ["", ["0", "1", "2", "3"]],
  ["  ", ["0", "1", "2", "3"]],
  ["berlin", ["0", "1"]],
  ["trip ber", ["1"]],
  ["resume", ["0"]],
  ["RÉSUMÉ fur", ["0"]],
  ["ankara berlin", []],
  [".*", []],
])(
  "what is searched by %j is found by its words, whatever their order, capitals and accents",
  (search, ids) => {
    expect(found(search)).toEqual(ids);
  },
);

test("a few chats need no search", () => {
  expect(isSearchable({ entries: chats, hasMore: false })).toBe(false);
  expect(isSearchable({ entries: chats, hasMore: true })).toBe(true);
  expect(isSearchable({ entries: [...chats, ...chats], hasMore: false })).toBe(true);
});
