import { expect, test } from "vitest";
import { Members } from "./members.ts";
import type { MemberConfig } from "./replica-record.ts";

function joining(id: string): MemberConfig {
  return { id, slots: 64, zone: null, url: `http://${id}.internal:8000` };
}

test("256 replicas may join beside the fleet document's; those that joined may go on saying so", () => {
  const members = new Members();
  members.adopt([{ id: "listed", slots: 64, zone: null, url: null }], 0);
  for (let at = 0; at < 256; at += 1) expect(members.join(joining(`r${at}`), 0)).toBe("joined");
  expect(members.join(joining("one-more"), 0)).toBe("too-many");
  expect(members.join(joining("r7"), 1000)).toBe("heartbeat");
  expect(members.leave("r7")).toBe(true);
  expect(members.join(joining("one-more"), 1000)).toBe("joined");
});

test("a replica of the fleet document can neither join nor leave by a call", () => {
  const members = new Members();
  members.adopt([{ id: "listed", slots: 64, zone: null, url: null }], 0);
  expect(members.join(joining("listed"), 0)).toBe("in-fleet-document");
  expect(members.leave("listed")).toBe(false);
  expect(members.get("listed")).not.toBeNull();
});
