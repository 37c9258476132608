import { DurableObject } from "cloudflare:workers";
import { emptyChain, firstBroken, nextEntry } from "../../src/shared/admin/audit-chain.ts";
import {
  decide,
  type ChangeOutcome,
  type EntryPage,
  type KeyPage,
  type LedgerCommand,
} from "../../src/shared/admin/ledger.ts";
import { keyRecordKey, type KeyRecord } from "../../src/shared/identity/key-record.ts";
import { bucketName } from "../../src/shared/limits/bucket-name.ts";
import { KeyedHash } from "../../src/shared/turn/keyed-hash.ts";
import { bucketStub } from "../token-bucket/bucket-stub.ts";
import {
  type BeginChange,
  type BeginChangeOutcome,
  type ClaimsUnsupported,
  type EndChange,
  type EndChangeOutcome,
  type HeldByOthers,
  type HeldByOthersOutcome,
  tenantClaimsVersion,
} from "../../src/shared/admin/tenant-claims.ts";
import { AuditStore, type LogOwner } from "./audit-store.ts";
import { ClaimStore } from "./claim-store.ts";

/** Records that one call delivers or tries; the rest follow with the alarm, so that a call stays within the platform's limits. */
const batch = 100;
/** When what could not be told is tried again. */
const retryMs = 5_000;
const unsupported: ClaimsUnsupported = { result: "version-unsupported", supported: tenantClaimsVersion };

export interface ChangeMessage {
  readonly v: 1;
  readonly owner: LogOwner;
  readonly actor: string;
  readonly command: LedgerCommand;
}

/**
 * One tenant's audit log, or the platform's, and the tenant's API keys: the truth of both, since a key changes by an entry and by
 * nothing else. KV holds copies of the records for the hot path; they are written from here, in order, until it worked.
 */
export class AuditLog extends DurableObject {
  readonly #store: AuditStore;
  readonly #claims: ClaimStore;
  readonly #hash: KeyedHash;
  #delivering: Promise<boolean> | null = null;
  /** Where the last run ended, so that entries that can't be told do not keep coming first. */
  #after = 0;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#store = new AuditStore(ctx.storage);
    this.#claims = new ClaimStore(ctx.storage);
    this.#hash = new KeyedHash(env.EDGEWISE_SECRET ?? "");
  }

  async change({ owner, actor, command }: ChangeMessage): Promise<ChangeOutcome> {
    this.#checkOwner(owner.log);
    for (;;) {
      const now = Date.now();
      const head = this.#store.head();
      const decided = decide(command, this.#store, now);
      if (!decided.ok) return decided.error;
      const { record, records, entry: draft } = decided.value;
      if (draft === null)
        return {
          result: "changed",
          record,
          entry: null,
          delivered: await this.#isTold(record === null ? [] : [record]),
        };
      const entry = await nextEntry(this.#hash, owner.log, head, { ...draft, actor }, now);
      // Another change came in between: decide anew.
      if (!this.#store.commit(owner, entry, records)) continue;
      // With the commit: should the telling be cut off, by a kill or a deploy, the alarm does it.
      if (records.length > 0) await this.#later();
      return { result: "changed", record, entry, delivered: await this.#isTold(records) };
    }
  }

  find(log: string, id: string): KeyRecord | null {
    this.#checkOwner(log);
    return this.#store.find(id);
  }

  list(log: string, after: string | null, limit: number): KeyPage | { readonly result: "unknown" } {
    this.#checkOwner(log);
    const records = this.#store.list(after, limit);
    if (records === null) return { result: "unknown" };
    return { result: "ok", records: records.slice(0, limit), hasMore: records.length > limit };
  }

  /** Checks what it shows. */
  async entries(log: string, before: number | null, limit: number): Promise<EntryPage> {
    this.#checkOwner(log);
    const found = this.#store.entries(before, limit);
    const entries = found.slice(0, limit);
    // The oldest entry shown must follow the next older one, or be the first of all.
    const broken = await firstBroken(this.#hash, log, found[limit] ?? emptyChain, entries.toReversed());
    return { result: "ok", entries, hasMore: found.length > limit, broken };
  }

  /** When the tenant's knowledge was erased as a whole, with the tenant or without, for the last time; `null`: never. */
  lastErasure(log: string): number | null {
    this.#checkOwner(log);
    return this.#store.lastOf([
      ["tenant.delete", log],
      ["knowledge.erase", log],
    ]);
  }

  /** In the platform's own, as `endChange`: a tenant is about to be changed. */
  beginChange(message: BeginChange): BeginChangeOutcome | ClaimsUnsupported {
    return message.v === tenantClaimsVersion ? this.#claims.begin(message, Date.now()) : unsupported;
  }

  heldByOthers(message: HeldByOthers): HeldByOthersOutcome {
    return message.v === tenantClaimsVersion
      ? { result: "ok", keys: this.#claims.heldByOthers(message, Date.now()) }
      : unsupported;
  }

  endChange(message: EndChange): EndChangeOutcome {
    if (message.v !== tenantClaimsVersion) return unsupported;
    this.#claims.end(message, Date.now());
    return { result: "ended" };
  }

  override async alarm(): Promise<void> {
    await this.#deliver();
  }

  /** The object is found by its owner's name; a message for another owner is a mistake. */
  #checkOwner(log: string): void {
    const owner = this.#store.owner();
    if (owner !== null && owner.log !== log) throw new Error("asked for another owner's audit log");
  }

  /** Tells what is due. `true`: these were all told, even if another key's bucket can't be reached. */
  async #isTold(records: readonly KeyRecord[]): Promise<boolean> {
    // A run that began before these were written knows nothing of them.
    await this.#delivering;
    return (await this.#deliver()) || !records.some(({ id }) => this.#store.isPending(id));
  }

  /** One run at a time, so that an older record never overwrites a newer one. `true`: everything was told. */
  async #deliver(): Promise<boolean> {
    for (;;) {
      this.#delivering ??= this.#deliverAll().finally(() => {
        this.#delivering = null;
      });
      if (!(await this.#delivering)) return false;
      // A change may have come when the run had looked for the last time.
      if (this.#isAllTold()) return true;
    }
  }

  async #deliverAll(): Promise<boolean> {
    const owner = this.#store.owner();
    if (owner === null) return true;
    let isAnyFailed = false;
    const found = this.#store.pending(this.#after, batch);
    for (const { sequence, record: text } of found) {
      this.#after = sequence;
      const record = JSON.parse(text) as KeyRecord;
      if (await this.#tell(record, text, owner)) this.#store.delivered(record.id, text);
      else isAnyFailed = true;
    }
    const isAllTold = !isAnyFailed && (found.length < batch || this.#isAllTold());
    return isAllTold || this.#later();
  }

  #isAllTold(): boolean {
    return this.#store.pending(0, 1).length === 0;
  }

  async #later(): Promise<false> {
    await this.ctx.storage.setAlarm(Date.now() + retryMs);
    return false;
  }

  /**
   * The bucket first, where a revocation takes effect within seconds. KV also if the bucket can't be reached, which the key's holder could bring
   * to by overloading it. Both may be told twice.
   */
  async #tell(record: KeyRecord, text: string, owner: LogOwner): Promise<boolean> {
    const isBucketTold = record.revoked_ms === null || (await worked(() => this.#tellBucket(record, owner)));
    const isKvTold = await worked(() => this.env.CONFIG.put(keyRecordKey(record.id), text));
    return isBucketTold && isKvTold;
  }

  async #tellBucket({ id, tenant, user }: KeyRecord, { jurisdiction }: LogOwner): Promise<void> {
    const address = { name: bucketName(tenant, "user", user), jurisdiction };
    const stub = bucketStub(this.env.TOKEN_BUCKET, address, this.env.ENVIRONMENT === "production");
    await stub.revoke({ version: 1, what: "key", keyId: id });
  }
}

async function worked(tell: () => Promise<unknown>): Promise<boolean> {
  try {
    await tell();
    return true;
  } catch (error) {
    // oxlint-disable-next-line no-console -- an object reports its faults here; the alarm tries again.
    console.error(JSON.stringify({ event: "fault", component: "audit-log", detail: String(error) }));
    return false;
  }
}
