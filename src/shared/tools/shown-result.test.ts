import { expect, test } from "vitest";
import { safetyPolicySchema } from "../safety/safety-policy.ts";
import { shownResult } from "./shown-result.ts";

const row = '{"rows":[{"name":"Ann","mail":"ann\\u0040example.com"}]}';

test("where answers are not screened, a result is shown as it is", () => {
  const policy = safetyPolicySchema.parse({ input: { action: "mask" }, output: { action: "flag" } });
  expect(shownResult(row, policy)).toBe(row);
});

test("what answers mask is masked in what a tool answered, which stays JSON where it was", () => {
  const policy = safetyPolicySchema.parse({ output: { action: "mask" } });
  const shown = shownResult(row, policy);
  expect(shown).not.toContain("example.com");
  expect(JSON.parse(shown)).toMatchObject({ rows: [{ name: "Ann", mail: "[e-mail address]" }] });
  expect(shownResult("Write to ann@example.com.", policy)).toBe("Write to [e-mail address].");
});

test("of what answers block, what stands before is shown", () => {
  const policy = safetyPolicySchema.parse({ output: { kinds: { email: "block" } } });
  expect(shownResult("Write to ann@example.com, or ring.", policy)).toBe("Write to ");
});
