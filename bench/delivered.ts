/** Is what the buckets say was used what the clients got? Figures of a bench that lost tokens are worth nothing. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Target } from "./targets.ts";

interface UsageAnswer {
  readonly user: {
    readonly used: { readonly tokens: number };
    readonly reserved: { readonly tokens: number };
  };
}

/** Waits until nothing is reserved any more (settlements are batched), then gives the tokens used. */
export async function tokensUsed(target: Target, token: string): Promise<number> {
  let sum = 0;
  for (const port of target.ports) {
    for (let attempt = 0; ; attempt++) {
      const response = await fetch(`http://127.0.0.1:${port}/v1/usage`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const { user } = (await response.json()) as UsageAnswer;
      if (user.reserved.tokens === 0 || attempt === 40) {
        sum += user.used.tokens;
        break;
      }
      await sleep(500);
    }
  }
  return sum;
}
