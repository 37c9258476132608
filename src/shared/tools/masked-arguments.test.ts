import { expect, test } from "vitest";
import { safetyPolicySchema } from "../safety/safety-policy.ts";
import { holdsMask } from "./masked-arguments.ts";

const masked = '{"to":"[e-mail address]"}';

test.each([
  [{ output: { action: "mask" } }, masked, true],
  [{ output: { action: "mask" } }, '{"to":"her"}', false],
  [{ output: { kinds: { iban: "mask" } } }, masked, false],
  [{ output: { action: "flag" } }, masked, false],
  [{ input: { action: "mask" } }, masked, false],
])("under %j %s holds what stands in another's place: %s", (policy, text, holds) => {
  expect(holdsMask(text, safetyPolicySchema.parse(policy))).toBe(holds);
});
