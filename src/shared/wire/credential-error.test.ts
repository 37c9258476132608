import { expect, test } from "vitest";
import { credentialError } from "./credential-error.ts";

test("no credential gets a bare challenge, as RFC 6750 asks", () => {
  expect(credentialError({ kind: "credential-missing" }).headers["www-authenticate"]).toBe(
    'Bearer realm="edgewise"',
  );
});

test("a wrong token and a wrong key have codes of their own and the same challenge", () => {
  const key = credentialError({ kind: "credential-invalid", credential: "key", detail: "x" });
  const token = credentialError({ kind: "credential-invalid", credential: "token", detail: "x" });
  expect([key.body.error.code, token.body.error.code]).toEqual(["invalid_api_key", "invalid_token"]);
  expect(key.headers).toEqual(token.headers);
  expect(key.headers["www-authenticate"]).toContain('error="invalid_token"');
});

test("a header of another form is told which form it must have, and gets a bare challenge, as RFC 6750 asks", () => {
  const { status, body, headers } = credentialError({
    kind: "credential-invalid",
    credential: "form",
    detail: "x",
  });
  expect([status, body.error.code]).toEqual([401, "invalid_api_key"]);
  expect(body.error.message).toContain("'Authorization: Bearer <token or API key>'");
  expect(headers["www-authenticate"]).toBe('Bearer realm="edgewise"');
});

test("a variable without a value is called that, and gets a bare challenge", () => {
  const refusal = { kind: "credential-invalid", credential: "unset", detail: "x" } as const;
  const { status, body, headers } = credentialError(refusal);
  expect([status, body.error.code]).toEqual([401, "invalid_api_key"]);
  expect(body.error.message).toContain("a variable without a value");
  expect(headers["www-authenticate"]).toBe('Bearer realm="edgewise"');
});

test("where any of two scopes would do, both are named; the platform's own credential is told whose to use", () => {
  const said = (scope: string) => credentialError({ kind: "scope-missing", scope }).body.error.message;
  expect(said("platform:admin tenant:admin")).toContain("'platform:admin' or 'tenant:admin'");
  expect(said("tenant")).toContain("belongs to no tenant");
  expect(said("tenant")).not.toContain("scope");
});

test("a missing scope is named in the challenge, which it cannot break out of", () => {
  const error = credentialError({ kind: "scope-missing", scope: 'a", realm="evil\r\n' });
  expect(error.headers["www-authenticate"]).toBe(
    'Bearer realm="edgewise", error="insufficient_scope", scope="a, realm=evil"',
  );
});
