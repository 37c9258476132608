import { expect, test } from "vitest";
import { pastedToken, signInProblem, userOf } from "./credential.ts";

const tokenOf = (claims: object): string =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;

test("a token's user is shown as it is written, in any script", () => {
  expect(userOf(tokenOf({ sub: "alice" }))).toBe("alice");
  expect(userOf(tokenOf({ sub: "Jürgen Müller ✓ 李雷" }))).toBe("Jürgen Müller ✓ 李雷");
});

test.each(["ew_local_0123_secret", "", "a.b.c", tokenOf({ sub: 7 })])(
  "a credential that names nobody is yours: %s",
  (token) => {
    expect(userOf(token)).toBe("you");
  },
);

test.each([
  [0, "could not be reached"],
  [401, "not accepted"],
  [403, "may not chat here"],
  [429, "Too many"],
  [503, "not your token's fault"],
])("a sign-in that fails with %i does not blame the token for what is not its fault", (status, said) => {
  expect(signInProblem(status)).toContain(said);
  expect(/not accepted|expired/.test(signInProblem(status))).toBe(status === 401);
});

test.each([
  ["  eyJ.a.b \n", "eyJ.a.b"],
  ["Bearer eyJ.a.b", "eyJ.a.b"],
  ["Authorization: bearer eyJ.a.b", "eyJ.a.b"],
  ["eyJ.a\n  aa.b\u200b", "eyJ.aaa.b"],
  ['"eyJ.a.b"', "eyJ.a.b"],
  ["", ""],
  ["eyJ.a…b", null],
  ["ключ", null],
])("of %j that was pasted to sign in with, %j is sent", (text, token) => {
  expect(pastedToken(text)).toBe(token);
});
