import type { Background } from "../contracts/background.ts";
import type { ReportFault } from "../contracts/report-fault.ts";
import { err } from "../contracts/result.ts";
import { ConfigCache, type ConfigStore, type Reading } from "../tenancy/config-cache.ts";
import { keyRecordKey, parseKeyRecord, type KnownKey } from "./key-record.ts";

/** Which record does this id name? From the isolate's memory where it can; the same object as long as the record is the same. */
export interface KeyDirectory {
  byId(id: string, background: Background): Reading<KnownKey> | Promise<Reading<KnownKey>>;
}

/**
 * In milliseconds. Stricter than for configuration: a record older than a minute is never used while KV answers, since
 * what it says of a key's end must hold; one in use is read again in the background before that.
 */
const recordTimes = { freshMs: 30_000, usableMs: 60_000 } as const;

export function createKeyDirectory(options: {
  readonly store: ConfigStore;
  readonly now: () => number;
  readonly report: ReportFault;
}): KeyDirectory {
  const records = new ConfigCache<KnownKey>({
    ...options,
    ...recordTimes,
    storeKey: keyRecordKey,
    parse: (text, id) => {
      const parsed = parseKeyRecord(text);
      return parsed.ok && parsed.value.record.id !== id ? err(`id: is not the key's "${id}"`) : parsed;
    },
  });
  return { byId: (id, background) => records.read(id, background) };
}
