import { DurableObject } from "cloudflare:workers";
import type { Background } from "../../src/shared/contracts/background.ts";
import type { DrawReply, DrawRequest } from "../../src/shared/limits/regional/region-protocol.ts";
import { RegionalStock, type StockOptions } from "../../src/shared/limits/regional/regional-stock.ts";
import { createBucketCall } from "../token-bucket/bucket-call.ts";

/**
 * What one region has of one org's limits. All rules are in src/shared/limits/regional; here are the clock and the timers alone.
 * Nothing is on disk: a pending timer keeps the object in memory for as long as it has a stock, and gives that back before it ends.
 */
export class RegionalStockObject extends DurableObject {
  #stock: RegionalStock | null = null;

  /** See src/shared/limits/regional/region-protocol.ts. */
  draw(request: DrawRequest): DrawReply {
    this.#stock ??= new RegionalStock(stockOptions(this.env), reporting, request);
    return this.#stock.draw(request);
  }
}

function stockOptions(env: Cloudflare.Env): StockOptions {
  return {
    call: createBucketCall(env.TOKEN_BUCKET, env.ENVIRONMENT === "production"),
    now: () => Date.now(),
    setTimer: (callback, ms) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
    random: Math.random,
    newId: () => crypto.randomUUID(),
    takesLoans: true,
    events: {
      slow() {},
      unreachable: (scope, detail) => report(`${scope} bucket`, detail),
      openAdmission() {},
      settlementsLost: (count) =>
        report("bucket", `${count} returns of a regional stock were lost: they stay charged`),
    },
  };
}

/** What an object has begun goes on without `waitUntil`; only its failures are to be told. */
const reporting: Background = {
  run(name, work) {
    work.catch((error: unknown) => report(name, String(error)));
  },
};

function report(component: string, detail: string): void {
  // oxlint-disable-next-line no-console -- an object reports its faults to the Worker's log.
  console.error(JSON.stringify({ event: "fault", component, detail }));
}
