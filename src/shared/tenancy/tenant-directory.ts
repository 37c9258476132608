import type { Background } from "../contracts/background.ts";
import type { ReportFault } from "../contracts/report-fault.ts";
import { tenantIdSchema, type TenantId } from "../contracts/ids.ts";
import { err, ok } from "../contracts/result.ts";
import { ConfigCache, type ConfigStore, type Reading } from "./config-cache.ts";
import type { TenantConfig } from "./tenant-config.ts";
import { hostKey, issuerKey, readTenantEntry, tenantKey } from "./tenant-entries.ts";

/**
 * Which tenant is this? By hostname, by an issuer with its audience, or by id; from the isolate's memory where it can.
 * It never looks at a claim: an issuer that no tenant configured belongs to nobody.
 */
export type TenantReading = Reading<TenantConfig>;

/** A value where memory has it, a promise where KV must be asked. Never rejects; `null`: there is none. */
export type TenantLookup = TenantReading | Promise<TenantReading>;

export interface TenantDirectory {
  byId(id: TenantId, background: Background): TenantLookup;
  /** `host`: lower case, without a port. */
  byHost(host: string, background: Background): TenantLookup;
  byIssuer(issuer: string, audience: string, background: Background): TenantLookup;
}

export interface TenantDirectoryOptions {
  readonly store: ConfigStore;
  readonly now: () => number;
  readonly report: ReportFault;
}

const none: TenantReading = ok(null);
const hostPattern = /^[a-z0-9.-]{1,253}$/;
const controlCharacter = /[\u0000-\u001f\u007f]/;

export function createTenantDirectory({ store, now, report }: TenantDirectoryOptions): TenantDirectory {
  const shared = { store, now, report };
  const tenants = new ConfigCache<TenantConfig>({
    ...shared,
    storeKey: tenantKey,
    parse: (text, id) => {
      const read = readTenantEntry(text);
      if (!read.ok) return read;
      const { value, unknown } = read.value;
      if (unknown.length > 0)
        report("configuration", `${id} has what this code does not know: ${unknown.join()}`);
      return value.id === id ? ok(value) : err(`id: is not the key's "${id}"`);
    },
  });
  const hosts = new ConfigCache<TenantId>({
    ...shared,
    storeKey: hostKey,
    parse: parseId,
    // Most requests come on the platform's own hostname, which is no tenant's: that must outlive an outage as well.
    absentIsGood: true,
  });
  const issuers = new ConfigCache<TenantId>({
    ...shared,
    storeKey: (name) => {
      const [issuer = "", audience = ""] = name.split("\n");
      return issuerKey(issuer, audience);
    },
    parse: parseId,
  });

  function follow(
    index: Reading<TenantId> | Promise<Reading<TenantId>>,
    background: Background,
    belongs: (tenant: TenantConfig) => boolean,
  ): TenantLookup {
    if (index instanceof Promise) return index.then((reading) => follow(reading, background, belongs));
    if (!index.ok) return index;
    if (index.value === null) return none;
    const tenant = tenants.read(index.value, background);
    // An index entry may be older than the tenant that it points at.
    const checked = (reading: TenantReading): TenantReading =>
      reading.ok && reading.value !== null && !belongs(reading.value) ? none : reading;
    return tenant instanceof Promise ? tenant.then(checked) : checked(tenant);
  }

  return {
    byId(id, background) {
      return tenants.read(id, background);
    },
    byHost(host, background) {
      if (!hostPattern.test(host)) return none;
      return follow(hosts.read(host, background), background, (tenant) => tenant.hosts.includes(host));
    },
    byIssuer(issuer, audience, background) {
      if (issuer.length > 512 || audience.length > 512) return none;
      if (controlCharacter.test(issuer) || controlCharacter.test(audience)) return none;
      return follow(issuers.read(`${issuer}\n${audience}`, background), background, (tenant) =>
        tenant.issuers.some((known) => known.issuer === issuer && known.audience === audience),
      );
    },
  };
}

function parseId(text: string) {
  const id = tenantIdSchema.safeParse(text);
  return id.success ? ok(id.data) : err("is no tenant id");
}
