import { expect, test } from "vitest";
import { responseRefusal } from "./response-refusal.ts";

test("what the stages call by chat's names is told in the words of a response", () => {
  const rejected = { kind: "origin-rejected", status: 400, detail: "no" } as const;
  expect(responseRefusal(rejected)).toBe(rejected);
  expect(responseRefusal({ ...rejected, param: "response_format" })).toMatchObject({ param: "text.format" });
  expect(responseRefusal({ ...rejected, param: "tools" })).toMatchObject({ param: "tools" });
  const orphaned = {
    kind: "value-invalid",
    param: "messages",
    message: "A tool's result answers no call.",
  } as const;
  expect(responseRefusal(orphaned)).toEqual({ ...orphaned, param: "input" });
  expect(responseRefusal({ ...orphaned, param: "parent_item_id" })).toMatchObject({
    param: "parent_item_id",
  });
});
