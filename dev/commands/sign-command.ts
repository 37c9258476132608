/** The output of `npm run sign`: the headers that sign a request (docs/signing.md), ready to send. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { signRequest, type SigningIdentity } from "../../src/shared/signing/sign-request.ts";
import { hmacKey } from "../../src/shared/signing/signature-key.ts";
import { minSecretBytes } from "../../src/shared/signing/signing-policy.ts";
import { UsageError } from "./command-line.ts";
import { readLocalVariables } from "../local-secrets.ts";

export const signUsage = `usage: npm run --silent sign -- --key <keyid> --url <url> [--method POST] [--body <json or @file>] [--token <credential>]
         (--secret <NAME in .dev.vars or the environment> | --private-key <file with an Ed25519 JWK>)
         [--expires-in <seconds>] [--headers]`;

export class SignError extends UsageError {}

/** A curl command; with `--headers` only the header lines. */
export async function makeSignedCommand(parameters: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      key: { type: "string" },
      url: { type: "string" },
      method: { type: "string" },
      body: { type: "string" },
      token: { type: "string" },
      secret: { type: "string" },
      "private-key": { type: "string" },
      "expires-in": { type: "string" },
      headers: { type: "boolean", default: false },
    },
  });
  const { key, url } = values;
  if (key === undefined) throw new SignError("--key is missing");
  const target = url === undefined ? null : URL.parse(url);
  if (target === null) throw new SignError("--url is missing, or is no URL");
  const identity = await identityOf(key, values.secret, values["private-key"]);
  const body = values.body?.startsWith("@") === true ? textOf("--body", values.body.slice(1)) : values.body;
  const method = (values.method ?? (body === undefined ? "GET" : "POST")).toUpperCase();
  const covered: Record<string, string> =
    values.token === undefined ? {} : { authorization: `Bearer ${values.token}` };
  const seconds = values["expires-in"] === undefined ? undefined : Number(values["expires-in"]);
  if (seconds !== undefined && !(Number.isInteger(seconds) && seconds > 0))
    throw new SignError("--expires-in is no whole number of seconds");
  const fields = await signRequest(
    { method, url: target.href, body: new TextEncoder().encode(body ?? ""), covered },
    identity,
    {
      nowMs: Date.now(),
      nonce: crypto.randomUUID(),
      ...(seconds === undefined ? {} : { expiresInSeconds: seconds }),
    },
  );
  const headers = {
    ...covered,
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...fields,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  if (values.headers) return lines.join("\n");
  return [
    `curl -X ${method} ${quoted(target.href)}`,
    ...lines.map((line) => `-H ${quoted(line)}`),
    ...(body === undefined ? [] : [`--data-binary ${quoted(body)}`]),
  ].join(" \\\n  ");
}

async function identityOf(
  keyId: string,
  secretName: string | undefined,
  keyFile: string | undefined,
): Promise<SigningIdentity> {
  if ((secretName === undefined) === (keyFile === undefined))
    throw new SignError("either --secret or --private-key says what to sign with");
  if (keyFile !== undefined) {
    return { keyId, algorithm: "ed25519", key: await privateKeyOf(textOf("--private-key", keyFile)) };
  }
  const name = secretName ?? "";
  const secret = new TextEncoder().encode(readLocalVariables().get(name) ?? process.env[name] ?? "");
  if (secret.byteLength < minSecretBytes)
    throw new SignError(
      `${name} is not in .dev.vars or the environment, or has fewer than ${minSecretBytes} bytes`,
    );
  return { keyId, algorithm: "hmac-sha256", key: await hmacKey(secret, "sign") };
}

function textOf(option: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new SignError(`${option}: ${error instanceof Error ? error.message : "can't be read"}`);
  }
}

/** Does not repeat a parser's message, which would show the beginning of the secret text. */
async function privateKeyOf(text: string): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey("jwk", JSON.parse(text) as JsonWebKey, "Ed25519", false, ["sign"]);
  } catch {
    throw new SignError("--private-key: is no file with the JWK of an Ed25519 private key");
  }
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
