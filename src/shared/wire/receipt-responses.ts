/** What do usage receipts look like on the wire? For the OpenAPI document; src/shared/receipts/receipt.ts makes them. */
import * as z from "zod";

export const usageReceiptSchema = z.lazy(() =>
  z.object({
    id: z.string().describe("The answer's id."),
    object: z.literal("usage.receipt"),
    receipt: z.string().describe("The claims, signed: a JWS in compact form (RFC 7515) with Ed25519."),
    claims: z.object({
      iss: z.literal("edgewise"),
      jti: z.string().describe("The answer's id."),
      iat: z.int().describe("When the turn ended, in seconds since 1970."),
      tenant: z.string(),
      org: z.string(),
      user: z.string(),
      status: z.enum(["completed", "incomplete", "failed", "cancelled"]),
      model: z.string().nullable(),
      usage: z.object({
        prompt_tokens: z.int(),
        completion_tokens: z.int(),
        cached_tokens: z.int(),
        reasoning_tokens: z.int(),
      }),
      usage_basis: z.enum(["exact", "counted", "estimated"]),
      cost: z
        .number()
        .nullable()
        .describe("US dollars; null: not known, and charged at the model's dearest price."),
      price: z
        .object({
          version: z.string(),
          input: z.number(),
          output: z.number(),
          cached_input: z.number().optional(),
        })
        .nullable()
        .describe(
          "US dollars per million tokens, and the version of the price list; `cached_input`: of cached tokens of the prompt, where they cost less.",
        ),
      attempts: z.int().nullable().describe("Engines that were asked until one answered."),
      guards: z.object({
        prompt: z.string().nullable().describe("What was found in the prompt: `email:2 card:1`."),
        answer: z.string().nullable(),
      }),
    }),
  }),
);

/** In an answer. */
export const receiptMember = z.lazy(() =>
  z.object({
    receipt: z
      .string()
      .describe(
        "Where the tenant has receipts on, and the answer has ended: its usage receipt, as of `/v1/usage/receipts/{id}`.",
      ),
  }),
);

export const receiptKeysSchema = z.lazy(() =>
  z.object({
    keys: z.array(
      z.object({
        kty: z.literal("OKP"),
        crv: z.literal("Ed25519"),
        x: z.string(),
        kid: z.string(),
        alg: z.literal("EdDSA"),
        use: z.literal("sig"),
      }),
    ),
  }),
);
