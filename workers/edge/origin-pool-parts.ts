/** What an OriginPool object runs with in the public Worker: the same fleet and network as the router in this process. */
import type { OriginPoolParts } from "../../durable-objects/origin-pool/origin-pool.ts";
import { isolateOf } from "./isolate.ts";

export function originPoolParts(env: Cloudflare.Env): OriginPoolParts {
  const { fleet, report, transport } = isolateOf(env);
  return {
    async fleet(background) {
      const reading = await fleet.current(background);
      return reading.ok ? reading.value : null;
    },
    transport,
    report,
  };
}
