import { expect, test } from "vitest";
import { whoIs } from "./credential.ts";
import { Drafts } from "./drafts.ts";
import { beginConversation, keepSession, newConversation } from "./keep.ts";

test("each chat has what was typed in it, and what comes back unsent goes before it", () => {
  const drafts = new Drafts();
  drafts.keep("alice", "c", "half");
  drafts.giveBack("alice", "c", "unsent");
  drafts.giveBack("alice", "d", "unsent");
  expect(drafts.of("alice", "c")).toBe("unsent\n\nhalf");
  expect(drafts.of("alice", "d")).toBe("unsent");
  drafts.keep("alice", "c", "");
  expect(drafts.of("alice", "c")).toBe("");
});

test("behind a reload what was typed is there again, in a new chat too; nobody else's is kept, and what is there is newer", () => {
  keepSession({ token: "a", user: "alice" });
  const before = new Drafts();
  const unused = newConversation();
  before.keep("bob", "c", "bob's");
  before.keep("alice", "c", "half");
  before.keep("alice", unused, "new");
  before.keepOverReload("alice");
  const behind = new Drafts();
  behind.keep("alice", "d", "there");
  behind.bringBack("alice");
  expect(behind.of("alice", "c")).toBe("half");
  expect(behind.of("bob", "c")).toBe("");
  expect(behind.of("alice", "d")).toBe("there");
  expect(behind.of("bob", unused)).toBe("");
  expect(behind.of("alice", unused)).toBe("new");
  // It was sent, so it is in no other new chat.
  behind.keep("alice", unused, "new");
  behind.keep("alice", unused, "");
  beginConversation(unused);
  expect(behind.of("alice", newConversation())).toBe("");
  // Only once: what is kept now belongs to the next reload.
  const another = new Drafts();
  another.bringBack("alice");
  expect(another.of("alice", "c")).toBe("");
});

test("what was typed in a new chat is there behind two reloads, also where another chat was looked at between them", () => {
  keepSession({ token: "a", user: "alice" });
  const first = new Drafts();
  first.keep("alice", newConversation(), "new");
  first.keepOverReload("alice");
  const second = new Drafts();
  second.bringBack("alice");
  second.keep("alice", "c", "half");
  second.keepOverReload("bob");
  second.keepOverReload("alice");
  const third = new Drafts();
  third.bringBack("alice");
  expect([third.of("alice", newConversation()), third.of("alice", "c")]).toEqual(["new", "half"]);
});

test("drafts that are too long for a browser's storage leave all others kept", () => {
  keepSession({ token: "a", user: "alice" });
  const before = new Drafts();
  before.keep("alice", "c", "half");
  before.keep("alice", "d", "x".repeat(600_000));
  before.keep("bob", "e", "x".repeat(600_000));
  before.keep("alice", "f", "typed last");
  before.keepOverReload("alice");
  const behind = new Drafts();
  behind.bringBack("alice");
  expect(["c", "d", "f"].map((chat) => behind.of("alice", chat))).toEqual(["half", "", "typed last"]);
});

const tokenOf = (claims: object): string =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;

test("a fresh token of the same user finds them; another issuer's user of the same name, and another key, find nothing", () => {
  const claims = { iss: "https://a.example", aud: "chat", sub: "alice" };
  const who = whoIs(tokenOf({ ...claims, exp: 1 }));
  expect(whoIs(tokenOf({ ...claims, exp: 2 }))).toBe(who);
  expect(whoIs(tokenOf({ ...claims, iss: "https://b.example" }))).not.toBe(who);
  expect(whoIs("ew_local_one")).not.toBe(whoIs("ew_local_two"));
});
