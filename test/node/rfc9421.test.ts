import { createHmac, createPublicKey, constants, verify as verifyWith } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkContentDigest } from "../../src/shared/signing/content-digest.ts";
import { signatureBase, type SignedMessage } from "../../src/shared/signing/signature-base.ts";
import { parseDictionary } from "../../src/shared/signing/structured-fields.ts";

/**
 * RFC 9421, appendix B.2: our parser and our signature base, with every algorithm of the RFC. Runs where the published
 * vectors are. Node's own crypto verifies those that the product does not offer.
 */
const file = `${process.env["EDGEWISE_DATA"] ?? "../shared/data"}/identity/rfc9421_vectors.jsonl`;

interface Vector {
  readonly id: string;
  readonly kind: "request" | "response";
  readonly message: string;
  readonly signature_base: string;
  readonly signature_input: string;
  readonly key: string;
}

function read({ message, kind }: Vector): {
  message: SignedMessage;
  body: string;
  fields: Map<string, string>;
} {
  const [head = "", body = ""] = message.split("\n\n");
  const [first = "", ...lines] = head.split("\n");
  const fields = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const field = (name: string): string | null => fields.get(name) ?? null;
  const [one = "", two = ""] = first.split(" ");
  return {
    message:
      kind === "request"
        ? { method: one, url: `https://${fields.get("host") ?? ""}${two}`, field }
        : { status: Number(two), field },
    body: body.replace(/\n$/, ""),
    fields,
  };
}

function holds(vector: Vector, base: string, signature: Uint8Array): boolean {
  if (!vector.key.includes("BEGIN"))
    return createHmac("sha256", Buffer.from(vector.key, "base64")).update(base).digest().equals(signature);
  // Lines of the published keys are joined in odd ways: what is between the labels is the key.
  const der = Buffer.from(vector.key.replaceAll(/-+(?:BEGIN|END) PUBLIC KEY-+|\s/g, ""), "base64");
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  const data = Buffer.from(base);
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return verifyWith(null, data, key, signature);
    case "ec":
      return verifyWith("sha256", data, { key, dsaEncoding: "ieee-p1363" }, signature);
    default:
      return verifyWith(
        "sha512",
        data,
        { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 },
        signature,
      );
  }
}

describe.skipIf(!existsSync(file))("RFC 9421, appendix B.2", () => {
  const vectors = existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Vector)
    : [];

  test("all six are here", () => {
    expect(vectors).toHaveLength(6);
  });

  test.each(vectors.map((vector) => [vector.id, vector] as const))("%s: base and signature", (_, vector) => {
    const { message, fields } = read(vector);
    const covered = parseDictionary(fields.get("signature-input") ?? "");
    const signatures = parseDictionary(fields.get("signature") ?? "");
    const [label = ""] = covered?.keys() ?? [];
    const list = covered?.get(label);
    const signature = signatures?.get(label);
    if (list?.kind !== "list" || signature?.kind !== "item" || signature.value.type !== "bytes")
      throw new Error("the vector's fields were not read");
    const base = signatureBase(message, list);
    expect(base).toBe(vector.signature_base);
    expect(holds(vector, base ?? "", signature.value.value)).toBe(true);
    expect(holds(vector, `${base ?? ""} `, signature.value.value)).toBe(false);
  });

  test.each(vectors.map((vector) => [vector.id, vector] as const))(
    "%s: digest of its body",
    async (_, vector) => {
      const { body, fields } = read(vector);
      const bytes = new TextEncoder().encode(body);
      expect(await checkContentDigest(fields.get("content-digest") ?? "", bytes)).toBe("same");
      expect(await checkContentDigest(fields.get("content-digest") ?? "", bytes.slice(1))).toBe("different");
    },
  );
});
