/** Cloudflare's Rate Limiting binding as the firewall's shared counter. Its limit and period stand in wrangler.toml. */
import type { SharedCounter } from "../../../src/shared/firewall/ports.ts";

export function rateLimitCounter(binding: RateLimit | undefined): SharedCounter | null {
  return binding === undefined ? null : { count: async (key) => (await binding.limit({ key })).success };
}
