/**
 * What may a firewall's owner say? The tenant's field `firewall`, and the platform's own document in KV under `firewall`.
 * docs/configuration.md documents both field by field.
 */
import * as z from "zod";
import { parseIpNetwork } from "./ip-address.ts";

/** What happens on a match. `log`: only the request's record says so. */
const firewallModeSchema = z.enum(["off", "log", "block"]);
export type FirewallMode = z.infer<typeof firewallModeSchema>;

const network = z.lazy(() =>
  z
    .string()
    .max(64)
    .refine((text) => parseIpNetwork(text) !== null, "is no address and no network in CIDR form"),
);

/**
 * Every condition that is given must hold, each by any of its values; without a condition a rule always holds. What
 * Cloudflare did not tell of a request (a laptop has no country) meets no condition.
 */
const accessRuleSchema = z.lazy(() =>
  z.strictObject({
    /** For the log. */
    name: z.string().regex(/^[a-z0-9-]{1,64}$/, "1 to 64 lower-case letters, digits and dashes"),
    action: z.enum(["allow", "deny"]),
    ip: z.array(network).min(1).max(1000).optional(),
    /** ISO 3166-1 alpha-2; `T1`: Tor, `XX`: unknown, as Cloudflare has them. */
    country: z
      .array(z.string().regex(/^[A-Z][A-Z0-9]$/, "is no country of two letters, such as DE"))
      .min(1)
      .max(300)
      .optional(),
    /** Numbers of autonomous systems. */
    asn: z.array(z.int().min(1).max(4_294_967_295)).min(1).max(1000).optional(),
    /** Cloudflare's bot score is below this: 1 is surely a bot, 99 surely a person. */
    bot_score_below: z.int().min(2).max(100).optional(),
    /** TLS is older than this. */
    tls_below: z.enum(["1.1", "1.2", "1.3"]).optional(),
  }),
);
export type AccessRule = z.infer<typeof accessRuleSchema>;

const perMinute = z.lazy(() => z.int().min(1).max(1_000_000_000));
const accessRules = z.lazy(() => z.array(accessRuleSchema).max(100).default([]));

/** The tenant's own firewall: after its caller is identified, on top of the platform's. */
export const tenantFirewallSchema = z.lazy(() =>
  z.strictObject({
    injection: firewallModeSchema.default("off"),
    /** The first rule that holds decides; where none does, the request passes. */
    rules: accessRules,
  }),
);

/** The platform's: before anything else is done for a request. */
export const platformFirewallSchema = z.lazy(() =>
  z.strictObject({
    injection: firewallModeSchema.default("block"),
    rules: accessRules,
    /** In one isolate, for each IPv4 address, IPv6 network of 64 bits, or zone of Workers that call. wrangler.toml has those of a whole location. */
    addresses: z
      .strictObject({
        /** Not below the largest org's default limit: a customer's servers may share one address. */
        requests_per_minute: perMinute.default(60_000),
        failed_credentials_per_minute: perMinute.default(60),
      })
      .prefault({}),
  }),
);
export type PlatformFirewall = z.infer<typeof platformFirewallSchema>;
