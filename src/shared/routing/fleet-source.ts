/**
 * Which fleet is in force? The variable FLEET where it is set, else the key `fleet` in KV, else (locally) the bundled one. From
 * the isolate's memory, refreshed in the background: the index is built once per document, never per request.
 */
import * as z from "zod";
import type { Background } from "../contracts/background.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { fleetSchema } from "./fleet-config.ts";
import { buildFleetIndex, type FleetIndex } from "./fleet-index.ts";

export const fleetKey = "fleet";

export type FleetUnavailable = Extract<Refusal, { kind: "dependency-unavailable" }>;
export type FleetReading = Result<FleetIndex, FleetUnavailable>;

export interface FleetSource {
  /** At once where memory has it. Never rejects. */
  current(background: Background): FleetReading | Promise<FleetReading>;
}

type StoredReading = Result<FleetIndex | null, FleetUnavailable>;

export interface FleetSourceOptions {
  /** The variable FLEET. A broken one throws here, at start: whoever set it is there to see it. */
  readonly variable: string | undefined;
  /** KV's document through the isolate's configuration cache, which keeps the last good one; `null`: no such key. */
  readonly stored: {
    read(name: typeof fleetKey, background: Background): StoredReading | Promise<StoredReading>;
  };
  /** Parsed JSON of the fleet to use where KV has none; `null` in production. */
  readonly bundled: unknown;
}

export function createFleetSource({ variable, stored, bundled }: FleetSourceOptions): FleetSource {
  if (variable !== undefined && variable !== "") {
    const parsed = parseFleet(variable);
    if (!parsed.ok) throw new TypeError(`FLEET: ${parsed.error}`);
    return { current: () => parsed };
  }
  const standIn = bundled === null ? null : ok(buildFleetIndex(fleetSchema.parse(bundled)));
  const settle = (reading: StoredReading): FleetReading => {
    if (!reading.ok) return reading;
    return reading.value === null ? (standIn ?? noFleet) : ok(reading.value);
  };
  return {
    current(background) {
      const reading = stored.read(fleetKey, background);
      return reading instanceof Promise ? reading.then(settle) : settle(reading);
    },
  };
}

/** A fleet document as an index, or what is wrong with it, naming the field. */
export function parseFleet(text: string): Result<FleetIndex, string> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return err("is not JSON");
  }
  const fleet = fleetSchema.safeParse(document);
  return fleet.success ? ok(buildFleetIndex(fleet.data)) : err(z.prettifyError(fleet.error));
}

const noFleet = err<FleetUnavailable>({
  kind: "dependency-unavailable",
  component: "fleet",
  retryAfterMs: 5000,
  detail: "no fleet is configured",
});
