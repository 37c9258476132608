import type { RegionalStocks } from "../../src/shared/limits/desk-options.ts";
import type { RegionalStockObject } from "./regional-stock.ts";

/**
 * One round trip to a region's stock, as src/shared/limits asks for it. The stock is made where its region says; a hint is all that
 * can be given, so that whoever draws measures how near it is.
 */
export function createStockDraw(
  namespace: DurableObjectNamespace<RegionalStockObject>,
): RegionalStocks["draw"] {
  return async ({ region, tier, bucket }, request) =>
    namespace.getByName(`${region}/${tier}/${bucket.name}`, { locationHint: region }).draw(request);
}
