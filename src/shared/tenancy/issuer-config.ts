/** Who may issue tokens of a tenant, by which keys, and what such a token may grant: `issuers` of its configuration. */
import * as z from "zod";
import { publicKeyFault, tokenAlgorithms } from "../identity/public-key.ts";
import { grantableScope } from "../identity/scope.ts";
import { tierSchema } from "../limits/tier.ts";

const algorithm = z.enum(tokenAlgorithms);

/** An issuer's or audience's name as tokens carry it. No control characters: the index joins the two by a line feed. */
const claimText = z.lazy(() =>
  z.string().regex(/^[^\u0000-\u001f\u007f]{1,512}$/, "1 to 512 characters, none a control character"),
);

const loopbackHosts = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Keys that decide who may call are fetched over TLS; plain http reaches this machine only, for development. */
const keySetUrl = z.lazy(() =>
  z
    .string()
    .max(2048)
    .superRefine((text, context) => {
      const url = URL.parse(text);
      if (url === null) context.addIssue({ code: "custom", message: "is no URL" });
      else if (url.protocol !== "https:" && !(url.protocol === "http:" && loopbackHosts.has(url.hostname)))
        context.addIssue({ code: "custom", message: "is neither https nor http on this machine" });
      else if (url.username !== "" || url.password !== "" || url.hash !== "")
        context.addIssue({ code: "custom", message: "holds a user, a password or a fragment" });
    }),
);

const secretName = z.lazy(() =>
  z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/, "is no name of a secret, such as ACME_JWT_SECRET"),
);

const keySourceSchema = z.lazy(() =>
  z.discriminatedUnion("type", [
    /** A shared secret. The configuration holds the *name* of the Worker secret, never the secret. */
    z.strictObject({
      type: z.literal("secret"),
      name: secretName,
      /** While the secret changes: the one that it takes the place of, which verifies as well. */
      previous_name: secretName.optional(),
    }),
    z.strictObject({
      type: z.literal("jwks_url"),
      url: keySetUrl,
      /** How long the last good keys are used while the URL can't be fetched, beyond the 5 minutes that they are fresh. */
      max_stale_seconds: z.int().min(600).max(86_400).default(3600),
    }),
    z.strictObject({
      type: z.literal("jwks"),
      keys: z
        .array(z.looseObject({ kty: z.string() }))
        .min(1)
        .max(32),
    }),
  ]),
);

const claimName = z.lazy(() => z.string().min(1).max(128));

export const issuerSchema = z.lazy(() =>
  z
    .strictObject({
      issuer: claimText,
      audience: claimText,
      algorithms: z.array(algorithm).min(1).max(tokenAlgorithms.length),
      keys: keySourceSchema,
      clock_skew_seconds: z.int().min(0).max(120).default(30),
      /** The longest life a token may claim, in seconds. */
      max_age_seconds: z.int().min(60).max(31_536_000).default(2_592_000),
      /** What this issuer may grant: a claim beyond it is refused, not trimmed silently. */
      grants: z
        .strictObject({
          tiers: z.array(tierSchema).min(1).default(["free"]),
          default_tier: tierSchema.default("free"),
          scopes: z.array(grantableScope).max(64).default([]),
        })
        .prefault({}),
      /** Which claim says what. */
      claims: z
        .strictObject({
          user: claimName.default("sub"),
          org: claimName.default("org"),
          tier: claimName.default("tier"),
          scope: claimName.default("scope"),
        })
        .prefault({}),
    })
    .superRefine((issuer, context) => {
      const symmetric = issuer.algorithms.includes("HS256");
      if (symmetric && issuer.algorithms.length > 1)
        context.addIssue({
          code: "custom",
          path: ["algorithms"],
          message: "HS256 cannot stand beside a public-key algorithm",
        });
      if (symmetric !== (issuer.keys.type === "secret"))
        context.addIssue({
          code: "custom",
          path: ["keys", "type"],
          message: 'is "secret" with HS256 and a key set with anything else',
        });
      if (!issuer.grants.tiers.includes(issuer.grants.default_tier))
        context.addIssue({
          code: "custom",
          path: ["grants", "default_tier"],
          message: "is not among grants.tiers",
        });
      if (issuer.keys.type !== "jwks") return;
      // A key set that can't verify anything is a fault of the configuration, found when it is written.
      for (const [at, key] of issuer.keys.keys.entries()) {
        const faults = issuer.algorithms.map((algorithm) => publicKeyFault(key, algorithm));
        if (faults.every((fault) => fault !== null))
          context.addIssue({
            code: "custom",
            path: ["keys", "keys", at],
            message: `serves none of the algorithms: ${faults.join("; ")}`,
          });
      }
    }),
);
export type Issuer = z.infer<typeof issuerSchema>;
