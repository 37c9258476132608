import { DurableObject } from "cloudflare:workers";
import {
  type EnrolIndex,
  type EnrolOutcome,
  type EraseEntries,
  type EraseOutcome,
  type EraseTenant,
  type EraseTenantOutcome,
  type FindNearest,
  type FindNearestOutcome,
  type IndexFailure,
  type IndexOwner,
  type KeepEntry,
  type KeepOutcome,
  type LeaveIndex,
  type LeaveOutcome,
  semanticIndexVersion,
} from "../../src/shared/contracts/semantic-index.ts";
import { EntryStore, entryBounds, rememberErasureMs, type StoredOwner } from "./entry-store.ts";
import { indexStub } from "./index-stub.ts";
import { RollStore } from "./roll-store.ts";

/**
 * One owner's answered questions as vectors. It knows no question and no answer, and decides nothing: the caller compares what it finds
 * (src/shared/cache/semantic). A tenant's own (`user: null`) also keeps the roll of its users' objects.
 */
export class SemanticIndexObject extends DurableObject {
  readonly #entries: EntryStore;
  readonly #roll: RollStore;
  /** One call at a time: two would enrol twice, and the first enrolment would belong to no list. */
  #enrolling: Promise<KeepOutcome | null> | null = null;

  constructor(context: DurableObjectState, env: Cloudflare.Env) {
    super(context, env);
    this.#entries = new EntryStore(context.storage);
    this.#roll = new RollStore(context.storage);
  }

  nearest(message: FindNearest): FindNearestOutcome {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    const limit = Math.min(Math.max(Math.trunc(message.limit), 1), 16);
    return { result: "ok", entries: this.#entries.nearest({ ...message, limit }, Date.now()) };
  }

  async keep(message: KeepEntry): Promise<KeepOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    if (
      message.vector.length > entryBounds.vectorBytes ||
      message.features.length > entryBounds.featuresCharacters ||
      message.scope.length > entryBounds.keyCharacters ||
      message.answerKey.length > entryBounds.keyCharacters
    )
      return { result: "too-large" };
    const refused = await this.#enrolled(message);
    if (refused !== null) return refused;
    this.#entries.own({ ...message.owner, jurisdiction: message.jurisdiction });
    if (!this.#entries.keep(message)) return { result: "erased" };
    const alarm = await this.ctx.storage.getAlarm();
    if (alarm === null) await this.#setAlarm();
    return { result: "kept" };
  }

  /** A user's index is told by its owner, and a tenant's own forgets what one user asked there. */
  async erase(message: EraseEntries): Promise<EraseOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    this.#entries.own({ ...message.owner, jurisdiction: message.jurisdiction });
    this.#entries.erase(message, Date.now());
    await this.#setAlarm();
    return { result: "erased" };
  }

  /** In a tenant's own. What is enrolled later, of a turn that was asked before, is told that it was erased. */
  async eraseTenant(message: EraseTenant): Promise<EraseTenantOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    const nowMs = Date.now();
    this.#entries.own({ ...message.owner, jurisdiction: message.jurisdiction });
    this.#entries.erase({ askedBy: null, throughMs: message.throughMs }, nowMs);
    this.#roll.doom(nowMs);
    // Before any await that could be cut off: the alarm goes on where this ends.
    await this.#setAlarm();
    await this.#eraseDoomed();
    return { result: "erased", pending: this.#roll.doomedCount() };
  }

  async enrol(message: EnrolIndex): Promise<EnrolOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    if (message.askedMs <= this.#entries.erasedMs()) return { result: "erased" };
    this.#entries.own({ ...message.owner, jurisdiction: message.jurisdiction });
    this.#roll.enrol(message.user, message.enrolment);
    return { result: "enrolled" };
  }

  async leave(message: LeaveIndex): Promise<LeaveOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    if (this.#entries.isReady) {
      this.#roll.leave(message.user, message.enrolment);
      if ((await this.ctx.storage.getAlarm()) === null) await this.#setAlarm();
    }
    return { result: "left" };
  }

  override async alarm(): Promise<void> {
    if (!this.#entries.isReady) return;
    this.#entries.removeExpired(Date.now());
    await this.#eraseDoomed();
    const owner = this.#entries.owner();
    if (owner !== null && this.#isIdle() && (await this.#left(owner)) && this.#isOver()) {
      this.#entries.forgotten();
      await this.ctx.blockConcurrencyWhile(() => this.ctx.storage.deleteAll());
      return;
    }
    await this.#setAlarm();
  }

  /** Nothing is held, nobody is enrolled here, and no late entry of an erased one can come. */
  #isIdle(): boolean {
    return (
      this.#entries.isReady &&
      this.#entries.count() === 0 &&
      this.#roll.count() === 0 &&
      this.#entries.erasedMs() + rememberErasureMs <= Date.now()
    );
  }

  /** Nor has anybody enrolled this one while it took its leave. */
  #isOver(): boolean {
    const { enrolment, leaving } = this.#entries.membership();
    return this.#isIdle() && enrolment === null && leaving === null;
  }

  /** The tenant's object no longer counts on this one. */
  async #left({ tenant, user, jurisdiction }: StoredOwner): Promise<boolean> {
    this.#entries.leaves();
    const { leaving } = this.#entries.membership();
    if (user === null || leaving === null) return true;
    try {
      const outcome = await this.#tenantObject({ tenant, user, jurisdiction }).leave({
        v: semanticIndexVersion,
        owner: { tenant, user: null },
        user,
        enrolment: leaving,
      });
      if (outcome.result !== "left") return false;
    } catch (error) {
      // Told again by the alarm: an enrolment is left by its own id, so that a later one is safe from it.
      this.#report(error);
      return false;
    }
    this.#entries.left(leaving);
    return true;
  }

  /** `null`: enrolled. A tenant's own needs not be. */
  async #enrolled(message: KeepEntry): Promise<KeepOutcome | null> {
    while (this.#enrolling !== null) await this.#enrolling;
    if (message.owner.user === null || this.#entries.membership().enrolment !== null) return null;
    this.#enrolling = this.#enrol(message, message.owner.user);
    try {
      return await this.#enrolling;
    } finally {
      this.#enrolling = null;
    }
  }

  async #enrol(message: KeepEntry, user: string): Promise<KeepOutcome | null> {
    const owner = { ...message.owner, jurisdiction: message.jurisdiction };
    const enrolment = crypto.randomUUID();
    try {
      const outcome = await this.#tenantObject(owner).enrol({
        v: semanticIndexVersion,
        owner: { tenant: owner.tenant, user: null },
        jurisdiction: owner.jurisdiction,
        user,
        enrolment,
        askedMs: message.askedMs,
      });
      if (outcome.result === "erased") return outcome;
      if (outcome.result !== "enrolled") return { result: "not-enrolled" };
    } catch (error) {
      this.#report(error);
      return { result: "not-enrolled" };
    }
    this.#entries.own(owner);
    this.#entries.enrolled(enrolment);
    return null;
  }

  /** A page at a time, so that none waits for thousands; the alarm takes the next. */
  async #eraseDoomed(): Promise<void> {
    const owner = this.#entries.owner();
    if (owner?.user !== null) return;
    await Promise.all(
      this.#roll.doomed(erasedAtOnce).map(async ({ user, enrolment }) => {
        try {
          const outcome = await indexStub(this.env, { ...owner, user }).erase({
            v: semanticIndexVersion,
            owner: { tenant: owner.tenant, user },
            jurisdiction: owner.jurisdiction,
            askedBy: null,
            throughMs: this.#entries.erasedMs(),
          });
          if (outcome.result === "erased") this.#roll.leave(user, enrolment);
        } catch (error) {
          this.#report(error);
        }
      }),
    );
  }

  async #setAlarm(): Promise<void> {
    const nowMs = Date.now();
    const times = [
      this.#roll.doomedCount() > 0 ? nowMs + retryMs : null,
      this.#entries.nextEndMs(),
      // Of a user's, to leave the roll; of a tenant's own, to be gone with the last of its users.
      this.#entries.count() === 0
        ? Math.max(nowMs + retryMs, this.#entries.erasedMs() + rememberErasureMs)
        : null,
    ];
    const next = Math.min(...times.filter((time) => time !== null));
    // A tenant's own with members waits for them: each `leave` sets the alarm.
    if (this.#entries.count() === 0 && this.#roll.count() > 0 && this.#roll.doomedCount() === 0) return;
    await this.ctx.storage.setAlarm(Math.max(next, nowMs));
  }

  #tenantObject({ tenant, jurisdiction }: StoredOwner) {
    return indexStub(this.env, { tenant, user: null, jurisdiction });
  }

  #failure({ v, owner }: { readonly v: number; readonly owner: IndexOwner }): IndexFailure | null {
    if (v !== semanticIndexVersion) return { result: "version-unsupported", supported: semanticIndexVersion };
    const known = this.#entries.owner();
    return known === null || (known.tenant === owner.tenant && known.user === owner.user)
      ? null
      : { result: "unknown" };
  }

  #report(error: unknown): void {
    // oxlint-disable-next-line no-console -- the log is the only way out of an object for what needs an operator
    console.error(JSON.stringify({ event: "fault", component: "semantic index", detail: String(error) }));
  }
}

const erasedAtOnce = 100;
const retryMs = 5000;
