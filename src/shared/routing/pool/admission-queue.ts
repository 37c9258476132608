/**
 * Who is next when everything is busy? Weighted fair between tenants, and within a tenant between tiers: start-time fair queueing (Goyal,
 * Vin and Cheng, SIGCOMM 1996) on two levels, in tokens of work. A tenant that floods waits behind its own requests and delays nobody
 * else's. Bounded in length and in wait; when it is full, the newest request of the tenant with the most waiting is turned away.
 */
export interface Waiting {
  readonly key: string;
  readonly source: string;
  readonly number: number;
  readonly tenant: string;
  readonly tier: string;
  readonly model: string;
  /** The work that it brings, at least 1. */
  readonly tokens: number;
  readonly excluded: readonly string[];
  readonly sinceMs: number;
  /** When its wait is over. */
  readonly untilMs: number;
}

/** A line of equal requests. `virtual`: work that it was served, over its weight; the least is next. */
interface Line {
  virtual: number;
  readonly waiting: Waiting[];
}

interface TenantLine {
  virtual: number;
  waiting: number;
  readonly tiers: Map<string, Line>;
}

/** A tier's work is divided by its weight. Unknown tiers have the lowest weight. */
const tierWeights: ReadonlyMap<string, number> = new Map([
  ["free", 1],
  ["pro", 2],
  ["enterprise", 4],
]);

/** Tenants whose place is remembered while they wait for nothing. */
const maxIdleTenants = 1024;

export class AdmissionQueue {
  readonly #tenants = new Map<string, TenantLine>();
  readonly #byKey = new Map<string, Waiting>();
  #tokens = 0;
  /** Of the tenant served last, when it was. */
  #virtual = 0;

  get size(): number {
    return this.#byKey.size;
  }

  get tokens(): number {
    return this.#tokens;
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  all(): Iterable<Waiting> {
    return this.#byKey.values();
  }

  /** Lets it wait. Returns a request that there is no room for: null, itself, or another that was turned away. */
  join(entry: Waiting, maxWaiting: number): Waiting | null {
    if (this.#byKey.has(entry.key)) return null;
    let gone: Waiting | null = null;
    if (this.#byKey.size >= maxWaiting) {
      gone = this.#newestOfLongest(entry);
      if (gone === entry) return entry;
      this.remove(gone.key);
    }
    const tenant = this.#tenant(entry.tenant);
    if (tenant.waiting === 0) tenant.virtual = Math.max(tenant.virtual, this.#virtual);
    const line = tenant.tiers.get(entry.tier) ?? { virtual: 0, waiting: [] };
    tenant.tiers.set(entry.tier, line);
    if (line.waiting.length === 0) line.virtual = Math.max(line.virtual, leastVirtual(tenant));
    line.waiting.push(entry);
    tenant.waiting += 1;
    this.#byKey.set(entry.key, entry);
    this.#tokens += entry.tokens;
    return gone;
  }

  /** Takes the next that `suits`, in the order of fairness; null where none does. */
  take(suits: (entry: Waiting) => boolean): Waiting | null {
    const tenants = [...this.#tenants.values()].filter(({ waiting }) => waiting > 0);
    for (const tenant of tenants.sort(byVirtual)) {
      const lines = [...tenant.tiers.entries()].filter(([, { waiting }]) => waiting.length > 0);
      for (const [tier, line] of lines.sort(([, left], [, right]) => byVirtual(left, right))) {
        // The first one that can go: a request that waits for another replica must not block this one.
        const entry = line.waiting.find(suits);
        if (entry === undefined) continue;
        this.remove(entry.key);
        this.#virtual = Math.max(this.#virtual, tenant.virtual);
        const work = entry.tokens / (tierWeights.get(tier) ?? 1);
        line.virtual += work;
        tenant.virtual += work;
        return entry;
      }
    }
    return null;
  }

  remove(key: string): Waiting | null {
    const entry = this.#byKey.get(key);
    if (entry === undefined) return null;
    this.#byKey.delete(key);
    this.#tokens -= entry.tokens;
    const tenant = this.#tenant(entry.tenant);
    tenant.waiting -= 1;
    const line = tenant.tiers.get(entry.tier);
    const at = line?.waiting.indexOf(entry) ?? -1;
    if (line !== undefined && at !== -1) line.waiting.splice(at, 1);
    return entry;
  }

  /** Removes and returns the requests whose wait is over. */
  takeExpired(nowMs: number): Waiting[] {
    const expired = [...this.#byKey.values()].filter(({ untilMs }) => untilMs <= nowMs);
    for (const { key } of expired) this.remove(key);
    return expired;
  }

  #tenant(name: string): TenantLine {
    const known = this.#tenants.get(name);
    if (known !== undefined) return known;
    if (this.#tenants.size >= maxIdleTenants) this.#forgetIdle();
    const made: TenantLine = { virtual: this.#virtual, waiting: 0, tiers: new Map() };
    this.#tenants.set(name, made);
    return made;
  }

  /** A tenant that is not ahead of the others loses nothing when it is forgotten; one that is ahead gains little. */
  #forgetIdle(): void {
    for (const [name, { waiting }] of this.#tenants) if (waiting === 0) this.#tenants.delete(name);
  }

  #newestOfLongest(joining: Waiting): Waiting {
    let longest: Waiting = joining;
    let length = (this.#tenants.get(joining.tenant)?.waiting ?? 0) + 1;
    for (const [name, tenant] of this.#tenants) {
      if (tenant.waiting <= length || name === joining.tenant) continue;
      const newest = newestOf(tenant);
      if (newest === null) continue;
      longest = newest;
      length = tenant.waiting;
    }
    return longest;
  }
}

function newestOf({ tiers }: TenantLine): Waiting | null {
  let newest: Waiting | null = null;
  for (const { waiting } of tiers.values()) {
    const last = waiting.at(-1);
    if (last !== undefined && (newest === null || last.sinceMs >= newest.sinceMs)) newest = last;
  }
  return newest;
}

function leastVirtual({ tiers }: TenantLine): number {
  const busy = [...tiers.values()].filter(({ waiting }) => waiting.length > 0);
  return busy.length === 0 ? 0 : Math.min(...busy.map(({ virtual }) => virtual));
}

function byVirtual(left: { readonly virtual: number }, right: { readonly virtual: number }): number {
  return left.virtual - right.virtual;
}
