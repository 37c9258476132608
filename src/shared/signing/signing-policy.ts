/** Must a tenant's requests be signed, by which keys, and how old may a signature be? */
import * as z from "zod";

export const signatureAlgorithms = ["hmac-sha256", "ed25519"] as const;
export type SignatureAlgorithm = (typeof signatureAlgorithms)[number];

const keyId = z.lazy(() =>
  z
    .string()
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/, "1 to 128 visible characters, no quotes or backslashes"),
);

const signingKeySchema = z.lazy(() =>
  z.discriminatedUnion("algorithm", [
    z.strictObject({
      id: keyId,
      algorithm: z.literal("ed25519"),
      /** RFC 8032's 32 bytes in base64url, as `x` of a JWK. */
      public_key: z.string().regex(/^[A-Za-z0-9_-]{43}$/, "must be 32 bytes in base64url"),
    }),
    z.strictObject({
      id: keyId,
      algorithm: z.literal("hmac-sha256"),
      /** The name of a Worker secret, never the secret. */
      secret: z
        .string()
        .regex(/^[A-Z][A-Z0-9_]{0,63}$/, "is no name of a secret, such as ACME_SIGNING_SECRET"),
    }),
  ]),
);
export type SigningKey = z.infer<typeof signingKeySchema>;

/** A nonce is remembered for as long, whatever the window: a tenant may make its window longer while captured requests are about. */
export const longestWindowSeconds = 600;

export const signingPolicySchema = z.lazy(() =>
  z
    .strictObject({
      /** `optional`: a signature that is there must be right. */
      policy: z.enum(["off", "optional", "required"]).default("off"),
      keys: z.array(signingKeySchema).max(64).default([]),
      /** From `created` on. */
      window_seconds: z.int().min(10).max(longestWindowSeconds).default(300),
      /** How far the client's clock may be ahead of ours. */
      clock_skew_seconds: z.int().min(0).max(60).default(30),
    })
    .superRefine((signing, context) => {
      if (signing.policy !== "off" && signing.keys.length === 0)
        context.addIssue({ code: "custom", path: ["keys"], message: "is empty: nobody could sign" });
      const ids = signing.keys.map(({ id }) => id);
      for (const [at, id] of ids.entries())
        if (ids.indexOf(id) !== at)
          context.addIssue({ code: "custom", path: ["keys", at, "id"], message: "is there twice" });
    }),
);
export type SigningPolicy = z.infer<typeof signingPolicySchema>;

/** An HMAC key shorter than its hash is the weakest part (RFC 2104, 3). */
export const minSecretBytes = 32;
