/**
 * Which fleet is in force? The variable FLEET where it is set, else the key `fleet` in KV, else (locally) the bundled one. From
 * the isolate's memory, refreshed in the background: the index is built once per document, never per request.
 */
import type { Background } from "../../contracts/background.ts";
import type { ReportFault } from "../../contracts/report-fault.ts";
import { err, ok, type Result } from "../../contracts/result.ts";
import {
  ConfigCache,
  type ConfigStore,
  type ConfigUnavailable,
  type Reading,
} from "../../tenancy/config-cache.ts";
import { readStored } from "../../tenancy/stored-document.ts";
import { describeIssues, notJson } from "../../tenancy/document-fault.ts";
import { fleetSchema } from "./fleet-config.ts";
import { buildFleetIndex, type FleetIndex } from "./fleet-index.ts";

/** The key in KV. */
export const fleetKey = "fleet";

type FleetReading = Result<FleetIndex, ConfigUnavailable>;

export interface FleetSource {
  /** At once where memory has it. Never rejects. */
  current(background: Background): FleetReading | Promise<FleetReading>;
}

export interface FleetSourceOptions {
  /** The variable FLEET. A broken one throws here, at start, where the person who set it sees it. */
  readonly variable: string | undefined;
  /** Where the key `fleet` is; a broken document there is reported, and the last good one stays. */
  readonly store: ConfigStore;
  /** Parsed JSON of the fleet to use where the store has none; `null` in production. */
  readonly bundled: unknown;
  readonly now: () => number;
  readonly report: ReportFault;
}

export function createFleetSource(options: FleetSourceOptions): FleetSource {
  const { variable, store, bundled, now, report } = options;
  if (variable !== undefined && variable !== "") {
    const parsed = parseFleet(variable);
    if (!parsed.ok) throw new TypeError(`FLEET: ${parsed.error}`);
    return { current: () => parsed };
  }
  const standIn = bundled === null ? noFleet : ok(buildFleetIndex(fleetSchema.parse(bundled)));
  const cache = new ConfigCache<FleetIndex>({
    store,
    storeKey: (name) => name,
    parse: (text) => readFleet(text, report),
    now,
    report,
    maxEntries: 1,
  });
  const settle = (reading: Reading<FleetIndex>): FleetReading =>
    reading.ok && reading.value === null ? standIn : (reading as FleetReading);
  return {
    current(background) {
      const reading = cache.read(fleetKey, background);
      return reading instanceof Promise ? reading.then(settle) : settle(reading);
    },
  };
}

/** A fleet document as an index, or what is wrong with it, naming the field. */
function parseFleet(text: string): Result<FleetIndex, string> {
  const document = parseJson(text);
  if (!document.ok) return document;
  const fleet = fleetSchema.safeParse(document.value);
  return fleet.success ? ok(buildFleetIndex(fleet.data)) : err(describeIssues(fleet.error));
}

/** The same for the document in KV, which newer code may have written: unknown fields are left out and reported. */
function readFleet(text: string, report: ReportFault): Result<FleetIndex, string> {
  const document = parseJson(text);
  if (!document.ok) return document;
  const fleet = readStored(fleetSchema, document.value);
  if (!fleet.ok) return err(describeIssues(fleet.error));
  const { value, unknown } = fleet.value;
  if (unknown.length > 0)
    report("configuration", `${fleetKey} has what this code does not know: ${unknown.join()}`);
  return ok(buildFleetIndex(value));
}

function parseJson(text: string): Result<unknown, string> {
  try {
    return ok(JSON.parse(text));
  } catch (error) {
    return err(notJson(error));
  }
}

const noFleet = err<ConfigUnavailable>({
  kind: "dependency-unavailable",
  component: "fleet",
  retryAfterMs: 5000,
  detail: "no fleet is configured",
});
