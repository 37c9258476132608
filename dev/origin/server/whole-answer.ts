import type { Exchange } from "./exchange.ts";
import { refusalBody } from "../engine/refusal.ts";

/** Sends an answer that is not a stream, with the fault that applies to it. */
export function sendWhole(exchange: Exchange, body: string): void {
  const { fault } = exchange;
  if (fault === undefined) {
    exchange.sendJson(200, body);
    return;
  }
  switch (fault.fault) {
    case "stall_before_first":
    case "stall_after":
      // Without a time the answer never comes; the exchange ends when the client leaves.
      if (typeof fault.delay_ms === "number")
        setTimeout(() => exchange.sendJson(200, body), fault.delay_ms).unref();
      return;
    case "cut_after": {
      const bytes = Buffer.from(body);
      exchange.response.writeHead(200, {
        "content-type": "application/json",
        "content-length": bytes.length,
      });
      exchange.response.write(bytes.subarray(0, bytes.length >> 1));
      exchange.cut(fault.reset);
      return;
    }
    case "broken_chunk":
      exchange.sendJson(200, body.slice(0, body.length >> 1));
      return;
    case "error_event":
      exchange.sendJson(
        200,
        refusalBody({
          status: fault.status,
          type: "InternalServerError",
          message: fault.message,
          param: null,
        }),
      );
      return;
    case "end_early":
      exchange.sendJson(200, "");
      return;
    case "refuse":
    case "cut_before_headers":
    case "status":
    case "slow_headers":
    case "drip":
      exchange.sendJson(200, body);
      return;
    default:
      fault satisfies never;
  }
}
