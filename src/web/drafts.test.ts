import { expect, test } from "vitest";
import { whoIs } from "./credential.ts";
import { Drafts } from "./drafts.ts";

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

const tokenOf = (claims: object): string =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;

test("a fresh token of the same user finds them; another issuer's user of the same name, and another key, find nothing", () => {
  const claims = { iss: "https://a.example", aud: "chat", sub: "alice" };
  const who = whoIs(tokenOf({ ...claims, exp: 1 }));
  expect(whoIs(tokenOf({ ...claims, exp: 2 }))).toBe(who);
  expect(whoIs(tokenOf({ ...claims, iss: "https://b.example" }))).not.toBe(who);
  expect(whoIs("ew_local_one")).not.toBe(whoIs("ew_local_two"));
});
