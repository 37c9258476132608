import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { SignatureKeys } from "../../src/shared/signing/signature-key.ts";
import { signingPolicySchema } from "../../src/shared/signing/signing-policy.ts";
import { verifyRequest } from "../../src/shared/signing/verify-request.ts";
import { makeSignedCommand, SignError } from "./sign-command.ts";

const folder = mkdtempSync(join(tmpdir(), "edgewise-sign-"));
const secretName = "SIGN_COMMAND_TEST_SECRET";
const secret = "0123456789abcdef0123456789abcdef";
const url = "http://localhost:8787/v1/chat/completions?a=1";

afterEach(() => {
  Reflect.deleteProperty(process.env, secretName);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function verify(lines: readonly string[], keys: readonly object[], body: string) {
  const fields = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
  );
  return verifyRequest(
    {
      method: "POST",
      url,
      field: (name) => fields.get(name) ?? null,
      body: async () => new TextEncoder().encode(body),
    },
    signingPolicySchema.parse({ policy: "required", keys }),
    (key) => new SignatureKeys(() => secret).get(key),
    Date.now(),
  );
}

test("what it prints verifies, with a shared secret", async () => {
  process.env[secretName] = secret;
  const body = '{"model":"auto"}';
  const printed = await makeSignedCommand([
    "--url",
    url,
    "--key",
    "k1",
    "--secret",
    secretName,
    "--body",
    body,
    "--token",
    "abc",
    "--headers",
  ]);
  expect(printed).toContain('"authorization"');
  const keys = [{ id: "k1", algorithm: "hmac-sha256", secret: secretName }];
  expect(await verify(printed.split("\n"), keys, body)).toMatchObject({ ok: true });
});

test("what it prints verifies, with a private key, and the shell passes it on as it is", async () => {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const file = join(folder, "key.json");
  writeFileSync(file, JSON.stringify(await crypto.subtle.exportKey("jwk", pair.privateKey)));
  const { x } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const body = `{"user":"O'Brien"}`;
  const command = await makeSignedCommand([
    "--key",
    "k2",
    "--private-key",
    file,
    "--url",
    url,
    "--body",
    body,
  ]);
  const echoed = execFileSync("sh", ["-c", command.replace("curl", "printf '%s\\n'")], { encoding: "utf8" });
  const lines = echoed.split("\n");
  expect(lines).toContain(body);
  const headers = lines.filter((_, at) => lines[at - 1] === "-H");
  expect(await verify(headers, [{ id: "k2", algorithm: "ed25519", public_key: x }], body)).toMatchObject({
    ok: true,
  });
});

test.each([
  ["no key", ["--url", url]],
  ["no URL", ["--key", "k"]],
  ["nothing to sign with", ["--key", "k", "--url", url]],
  ["a secret that is not there", ["--key", "k", "--url", url, "--secret", "NO_SUCH_SECRET"]],
])("%s is said plainly", async (_, parameters) => {
  await expect(makeSignedCommand(parameters)).rejects.toBeInstanceOf(SignError);
});
