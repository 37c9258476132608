import { compactVerify, createLocalJWKSet } from "jose";
import { describe, expect, it } from "vitest";
import { KeyedHash } from "../turn/keyed-hash.ts";
import type { TurnFacts } from "../turn/turn-facts.ts";
import { receiptClaims } from "./receipt.ts";
import { receiptType, ReceiptSigner } from "./receipt-signer.ts";
import type { Principal } from "../identity/principal.ts";

const facts: TurnFacts = {
  status: "completed",
  model: "llama-3.1-8b",
  cluster: "eu-1",
  attempts: 2,
  usage: { promptTokens: 10, completionTokens: 5, cachedTokens: 4, reasoningTokens: 0 },
  basis: "exact",
  microdollars: 7,
  price: { version: "f1", input: 0.2, output: 0.6 },
  screened: "email:1",
  guarded: null,
  endedMs: 1_700_000_000_999,
};
const owner = { tenant: "acme", org: "lab", user: "ann" } as unknown as Principal;
const claims = receiptClaims("chatcmpl-1", owner, facts);
const secret = "a-secret-of-more-than-sixteen-characters";

async function verify(receipt: string, signer: ReceiptSigner) {
  const keys = createLocalJWKSet({ keys: [{ ...(await signer.publicKey()) }] });
  const { payload, protectedHeader } = await compactVerify(receipt, keys);
  return { header: protectedHeader, claims: JSON.parse(new TextDecoder().decode(payload)) as unknown };
}

describe("a receipt", () => {
  it("verifies under the published key and says what was charged", async () => {
    const signer = new ReceiptSigner(new KeyedHash(secret));
    const verified = await verify(await signer.sign(claims), signer);
    expect(verified.header).toMatchObject({ alg: "EdDSA", typ: receiptType });
    expect(verified.claims).toEqual({
      iss: "edgewise",
      jti: "chatcmpl-1",
      iat: 1_700_000_000,
      tenant: "acme",
      org: "lab",
      user: "ann",
      status: "completed",
      model: "llama-3.1-8b",
      usage: { prompt_tokens: 10, completion_tokens: 5, cached_tokens: 4, reasoning_tokens: 0 },
      usage_basis: "exact",
      cost: 0.000007,
      price: { version: "f1", input: 0.2, output: 0.6 },
      attempts: 2,
      guards: { prompt: "email:1", answer: null },
    });
  });

  it("is the same bytes whoever of the platform signs it, and never names the platform's inside", async () => {
    const [one, other] = [new ReceiptSigner(new KeyedHash(secret)), new ReceiptSigner(new KeyedHash(secret))];
    const receipt = await one.sign(claims);
    expect(await other.sign(claims)).toBe(receipt);
    expect(atob(receipt.split(".")[1]?.replaceAll("-", "+").replaceAll("_", "/") ?? "")).not.toContain(
      "eu-1",
    );
  });

  it("that anyone changed, or that another platform signed, does not verify", async () => {
    const signer = new ReceiptSigner(new KeyedHash(secret));
    const [head = "", , tail = ""] = (await signer.sign(claims)).split(".");
    const changed = btoa(JSON.stringify({ ...claims, cost: 0 }))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");
    await expect(verify(`${head}.${changed}.${tail}`, signer)).rejects.toThrow(
      "signature verification failed",
    );
    const other = new ReceiptSigner(new KeyedHash(`${secret}!`));
    await expect(verify(await other.sign(claims), signer)).rejects.toThrow();
  });

  it("publishes no private half", async () => {
    const key = await new ReceiptSigner(new KeyedHash(secret)).publicKey();
    expect(Object.keys(key).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x"]);
  });
});
