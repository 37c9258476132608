/** Regions to try the limits in, for tests: stocks in the simulated world, which can be killed, and a network on the way to them. */
import type { RegionalStocks } from "../desk-options.ts";
import { type Fate, isolateOptions, type SimulatedBuckets, strictBackground } from "../simulated-world.ts";
import type { DrawOutcome, DrawReply, DrawRequest, StockAddress } from "./region-protocol.ts";
import { RegionalStock } from "./regional-stock.ts";

export const paris = { latitude: 48.9, longitude: 2.4 } as const;
export const sydney = { latitude: -33.9, longitude: 151.2 } as const;

export class SimulatedRegions {
  /** Decides each draw's fate and delay. */
  fate: () => { readonly fate: Fate; readonly delayMs: number } = () => ({ fate: "delivered", delayMs: 10 });
  readonly outcomes: Record<DrawOutcome, number> = { loan: 0, empty: 0, late: 0, failed: 0 };
  readonly background = strictBackground();
  kills = 0;
  readonly #buckets: SimulatedBuckets;
  readonly #stocks = new Map<string, RegionalStock>();

  constructor(buckets: SimulatedBuckets) {
    this.#buckets = buckets;
  }

  readonly port: RegionalStocks = {
    draw: (at, request) => this.#draw(at, request),
    drawn: (outcome) => {
      this.outcomes[outcome] += 1;
    },
  };

  /** Every stock's memory is gone at once. Its timers are not, as little as the messages that it sent: they do no harm. */
  kill(): void {
    this.kills += 1;
    this.#stocks.clear();
  }

  async #draw(at: StockAddress, request: DrawRequest): Promise<DrawReply> {
    const { fate, delayMs } = this.fate();
    const sent = structuredClone(request);
    await this.#pass(delayMs / 2);
    if (fate === "request-lost") throw new Error("the network was lost on the way there");
    if (fate === "killed-before") this.kill();
    const reply = this.#stock(at, sent).draw(sent);
    if (fate === "killed-after") this.kill();
    await this.#pass(delayMs / 2);
    if (fate === "reply-lost") throw new Error("the network was lost on the way back");
    if (fate === "hangs") await new Promise<never>(() => undefined);
    return structuredClone(reply);
  }

  #stock({ region, tier, bucket }: StockAddress, request: DrawRequest): RegionalStock {
    const name = `${region}/${tier}/${bucket.name}`;
    let stock = this.#stocks.get(name);
    if (stock === undefined) {
      const options = isolateOptions(this.#buckets, `${name}-${this.kills}`);
      stock = new RegionalStock(options, this.background, request);
      this.#stocks.set(name, stock);
    }
    return stock;
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#buckets.clock.setTimer(resolve, ms);
    });
  }
}
