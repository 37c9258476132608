import { existsSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { readCompactToken } from "../../src/shared/identity/compact-token.ts";
import { KeySet } from "../../src/shared/identity/key-set.ts";
import type { TokenAlgorithm } from "../../src/shared/identity/public-key.ts";
import { verifiedPayload, type PinnedKey } from "../../src/shared/identity/signature.ts";

/**
 * RFC 7520's cookbook against our signature step: sections 4.1 to 4.4 verify with that algorithm configured, 4.5 to 4.8
 * (detached, partly protected, several signatures) are refused. The data lies beside the repository; without it the
 * tests are skipped, and shown as such.
 */
const data = process.env["EDGEWISE_DATA"] ?? "../shared/data";
const folder = pathToFileURL(`${data}/identity/rfc7520_cookbook/`);
const present = existsSync(folder);

interface Recipe {
  readonly input: {
    readonly payload: string;
    readonly key: Jwk | readonly Jwk[];
    readonly alg: string | string[];
  };
  readonly output: { readonly compact?: string; readonly json: unknown; readonly json_flat?: unknown };
}
type Jwk = Readonly<Record<string, string>>;

function recipe(name: string): Recipe {
  return JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Recipe;
}

async function pinned(jwk: Jwk, algorithm: string): Promise<PinnedKey> {
  if (jwk["kty"] === "oct") {
    const bytes = Buffer.from(jwk["k"] ?? "", "base64url");
    const hmac = { name: "HMAC", hash: "SHA-256" };
    return { algorithm: "HS256", key: await crypto.subtle.importKey("raw", bytes, hmac, false, ["verify"]) };
  }
  const published = Object.fromEntries(
    Object.entries(jwk).filter(([member]) => !["d", "p", "q", "dp", "dq", "qi"].includes(member)),
  );
  const finding = await new KeySet([published]).find(jwk["kid"], algorithm as TokenAlgorithm);
  if (finding.result !== "found") throw new Error(finding.result);
  return finding.key;
}

/** Every text in which the recipe's result could be sent as a bearer credential. */
function credentials({ output }: Recipe): string[] {
  const texts = [JSON.stringify(output.json), JSON.stringify(output.json_flat ?? null)];
  const signatures = (output.json as { signatures?: Record<string, string>[] }).signatures ?? [];
  const payload = (output.json as { payload?: string }).payload ?? "";
  for (const { protected: header = "", signature = "" } of signatures)
    texts.push(`${header}.${payload}.${signature}`);
  return output.compact === undefined ? texts : [...texts, output.compact];
}

describe.skipIf(!present)("RFC 7520", () => {
  test.each([
    ["4.1", "jws/4_1.rsa_v15_signature.json", "RS256"],
    ["4.2", "jws/4_2.rsa-pss_signature.json", "PS384"],
    ["4.3", "jws/4_3.ecdsa_signature.json", "ES512"],
    ["4.4", "jws/4_4.hmac-sha2_integrity_protection.json", "HS256"],
    ["curve25519", "curve25519/jws.json", "EdDSA"],
  ])("section %s verifies (%s, %s), and no other algorithm does", async (_section, file, algorithm) => {
    const { input, output } = recipe(file);
    const key = await pinned(input.key as Jwk, algorithm);
    const compact = output.compact ?? "";
    expect(new TextDecoder().decode((await verifiedPayload(compact, key)) ?? undefined)).toBe(input.payload);
    const other = algorithm === "RS256" ? "PS256" : "RS256";
    expect(await verifiedPayload(compact, { ...key, algorithm: other })).toBeNull();
  });

  test.each([
    ["4.5", "jws/4_5.signature_with_detached_content.json"],
    ["4.6", "jws/4_6.protecting_specific_header_fields.json"],
    ["4.7", "jws/4_7.protecting_content_only.json"],
    ["4.8", "jws/4_8.multiple_signatures.json"],
  ])("section %s is refused (%s)", async (_section, file) => {
    const made = recipe(file);
    const keys = [made.input.key].flat().map((jwk, at) => {
      const algorithms = [made.input.alg].flat();
      return pinned(jwk, algorithms[at] ?? "HS256");
    });
    for (const text of credentials(made)) {
      // Not a token in its strict form. 4.8's signatures by themselves sign text, which is no claims set either.
      expect(readCompactToken(text).ok).toBe(false);
      // 4.8 put apart is three compact tokens of 4.1 to 4.4's kind: nothing that a signature step could refuse.
      if (text.startsWith("{") || file.includes("4_5") || file.includes("4_7"))
        for (const key of keys) expect(await verifiedPayload(text, await key)).toBeNull();
    }
  });

  test("RFC 7797's unencoded payload is refused", () => {
    for (const file of ["rfc7797/4.2.hmac-sha2_b64_false.json"]) {
      if (!existsSync(new URL(file, folder))) continue;
      for (const text of credentials(recipe(file))) expect(readCompactToken(text).ok).toBe(false);
    }
  });
});
