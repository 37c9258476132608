import {
  libraryName,
  libraryVersion,
  type EnrolLibraryOutcome,
  type EraseLibrary,
  type EraseLibraryOutcome,
  type LeaveLibraryOutcome,
  type NotEnrolled,
} from "../../src/shared/contracts/library.ts";
import type { Jurisdiction, Owner } from "../../src/shared/contracts/owner.ts";
import { tenantAsOwner } from "../../src/shared/retrieval/knowledge-ref.ts";
import { lastErasureOf } from "../audit-log/audit-ledger.ts";
import { callObject, calledObject } from "../storage/call-object.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";
import type { LibraryStore } from "./library-store.ts";
import { inTime } from "../storage/in-time.ts";
import { atOnce, inTurn } from "../storage/in-turn.ts";
import type { DoomedMember } from "../storage/roll-store.ts";

/**
 * How an erasure of a tenant reaches its users' Libraries. A user's enrols with the tenant's own before its first file or store, so that what
 * the tenant's does not know of is never there; what is erased enrols anew before it takes anything again. One of before there was a roll
 * enrols when it wakes, and then is told what it missed: erasures stand in the tenant's audit log, for good.
 */
export class LibraryRoll {
  readonly #env: Cloudflare.Env;
  readonly #store: LibraryStore;
  /** One call at a time: two would enrol twice, and the first enrolment would belong to no Library. */
  #joining: Promise<NotEnrolled | null> | null = null;
  #erasures = 0;
  #owedByMembers = 0;

  constructor(env: Cloudflare.Env, store: LibraryStore) {
    this.#env = env;
    this.#store = store;
  }

  /** Before anything new lies here. `null`: it may; else why not. Makes the tables. */
  async join(owner: Owner, jurisdiction: Jurisdiction): Promise<NotEnrolled | null> {
    if (owner.user === "") {
      const closedUntilMs = this.closedUntilMs(Date.now());
      if (closedUntilMs !== null) return closed(closedUntilMs);
      this.#store.open(owner, jurisdiction);
      return null;
    }
    if (this.#store.isOpen && this.#store.roll.membership().enrolment !== null) return null;
    this.#joining ??= this.#enrol(owner, jurisdiction).finally(() => {
      this.#joining = null;
    });
    return this.#joining;
  }

  /** Of a user's: something lies here, and the tenant's does not know. No later code leaves it so. */
  isUnenrolled(): boolean {
    if (!this.#store.isOpen || this.#store.roll.membership().enrolment !== null) return false;
    const owner = this.#store.owner();
    return owner !== null && owner.user !== "" && this.#store.holdsAny();
  }

  /** What it owes others, as those of its users' that were erased last have said; those tell it by themselves. */
  get owedByMembers(): number {
    return this.#owedByMembers;
  }

  /** Of a tenant's own: until when it takes nothing new; `null`: it does. */
  closedUntilMs(nowMs: number): number | null {
    if (!this.#store.isOpen) return null;
    const { closedUntilMs } = this.#store.roll.membership();
    return closedUntilMs > nowMs ? closedUntilMs : null;
  }

  /** An enrolment that is on its way counts for nothing: whoever erases may have struck it out already. */
  forgetJoining(): void {
    this.#erasures += 1;
  }

  /**
   * What lies here goes, and of a tenant's own all its members are to be erased. What others are owed is carried out by the duties.
   * @returns whether something stays, which was made later
   */
  erase({ owner, closedUntilMs, throughMs = Infinity }: EraseLibrary, nowMs: number): boolean {
    this.#store.removeThrough(throughMs, nowMs);
    const { roll } = this.#store;
    if (owner.user === "") {
      this.#owedByMembers = 0;
      roll.close(Math.min(closedUntilMs, nowMs + mostClosedMs));
      roll.doom(nowMs);
      return false;
    }
    if (this.#store.holdsAny()) return true;
    roll.leaves();
    return false;
  }

  /**
   * Tells whom something is owed, some members at a time. Never throws: what was not heard is told again.
   * @returns a fault's detail, where nobody has heard anything; whoever has not is otherwise told again with the next
   */
  async tell(owner: Owner, jurisdiction: Jurisdiction): Promise<string | null> {
    const { roll } = this.#store;
    const own: (string | null)[] = [];
    if (this.isUnenrolled()) own.push(await this.#joinLate(owner, jurisdiction, Date.now()));
    const { leaving } = roll.membership();
    if (leaving !== null) own.push(await this.#leave(owner, jurisdiction, leaving));
    const { faults, heard } = await inTurn<DoomedMember>(
      (after) => roll.doomed(after?.user ?? "", atOnce),
      (member) => this.#eraseMember(owner, jurisdiction, member),
      erasedAtATime,
    );
    if (heard > 0 || own.includes(null)) return null;
    return [...own, ...faults].find((fault) => fault !== null) ?? null;
  }

  /** Members that are still to be erased, and whether one's own beginning or end is still to be told. */
  pending(): number {
    const { roll } = this.#store;
    const own = [roll.membership().leaving !== null, this.isUnenrolled()];
    return roll.doomedCount() + own.filter(Boolean).length;
  }

  /** Nothing is here, nobody counts on it, and nothing keeps anybody out: the object may forget itself. */
  isOver(nowMs: number): boolean {
    const { roll } = this.#store;
    const { enrolment } = roll.membership();
    return (
      this.#joining === null &&
      enrolment === null &&
      this.pending() === 0 &&
      roll.count() === 0 &&
      this.closedUntilMs(nowMs) === null &&
      this.#store.isEmpty()
    );
  }

  async #joinLate(owner: Owner, jurisdiction: Jurisdiction, nowMs: number): Promise<string | null> {
    const outside = await this.join(owner, jurisdiction);
    // All of the tenant is being erased.
    if (outside?.closedUntilMs !== undefined) this.#store.removeThrough(Infinity, nowMs);
    // Nothing of it may be left, and then nobody need count on it.
    else if (outside === null && !this.#store.holdsAny()) this.#store.roll.leaves();
    return outside === null || outside.closedUntilMs !== undefined ? null : outside.detail;
  }

  async #enrol(owner: Owner, jurisdiction: Jurisdiction): Promise<NotEnrolled | null> {
    const before = this.#erasures;
    const enrolment = crypto.randomUUID();
    const outcome = await this.#ask<EnrolLibraryOutcome>(tenantAsOwner(owner), jurisdiction, async (stub) =>
      stub.enrol({ ...messageTo(owner, jurisdiction), user: owner.user, enrolment }),
    );
    if (typeof outcome === "string") return unreachable(outcome);
    if (outcome.result !== "enrolled")
      return outcome.result === "closed"
        ? closed(outcome.untilMs ?? 0)
        : unreachable(`it is ${outcome.result}`);
    // Behind the enrolment: an erasure that is noted later than this looks finds it on the roll.
    const missed = this.isUnenrolled() ? await this.#missedErasure(owner, jurisdiction) : null;
    if (typeof missed === "string") return unreachable(missed);
    // The tenant's counts it among those that it has erased.
    if (before !== this.#erasures) return unreachable("it was erased meanwhile");
    this.#store.open(owner, jurisdiction);
    if (missed !== null) this.#store.removeThrough(missed + skewMs, Date.now());
    this.#store.roll.enrolled(enrolment);
    return null;
  }

  /** When the tenant was erased last, which did not reach this one; `null`: never. The reason why nobody says, as text. */
  async #missedErasure({ tenant }: Owner, jurisdiction: Jurisdiction): Promise<number | string | null> {
    const called = await callObject(async () => lastErasureOf(this.#env, tenant, jurisdiction));
    return called.ok ? called.value : called.error.detail;
  }

  async #leave(owner: Owner, jurisdiction: Jurisdiction, leaving: string): Promise<string | null> {
    const outcome = await this.#ask<LeaveLibraryOutcome>(tenantAsOwner(owner), jurisdiction, async (stub) =>
      stub.leave({ ...messageTo(owner, jurisdiction), user: owner.user, enrolment: leaving }),
    );
    if (typeof outcome === "string") return outcome;
    if (outcome.result !== "left") return `a tenant's library answers ${outcome.result}`;
    this.#store.roll.left(leaving);
    return null;
  }

  async #eraseMember(
    { tenant }: Owner,
    jurisdiction: Jurisdiction,
    member: DoomedMember,
  ): Promise<string | null> {
    const owner = { tenant, user: member.user };
    // Its turn may come minutes later: what it was let make meanwhile is not what was to be erased.
    const throughMs = Math.max(member.doomedMs + skewMs, this.#store.roll.membership().closedUntilMs);
    const outcome = await this.#ask<EraseLibraryOutcome>(owner, jurisdiction, async (stub) =>
      stub.erase({ v: libraryVersion, owner, jurisdiction, closedUntilMs: 0, throughMs }),
    );
    if (typeof outcome === "string") return outcome;
    if (outcome.result !== "erased") return `a member's library answers ${outcome.result}`;
    this.#owedByMembers += outcome.pending;
    if (outcome.kept === true) this.#store.roll.spare(member);
    else this.#store.roll.strike(member);
    return null;
  }

  /** The reason why there is no answer, as text. */
  async #ask<Outcome extends object>(
    owner: Owner,
    jurisdiction: Jurisdiction,
    ask: (stub: ReturnType<typeof stubOf>) => Promise<Outcome>,
  ): Promise<Outcome | string> {
    try {
      const called = await inTime(
        callObject(
          async () => ask(stubOf(this.#env, owner, jurisdiction)),
          calledObject("library", libraryName(owner)),
        ),
        answersWithinMs,
      );
      return called.ok ? called.value : called.error.detail;
    } catch (error) {
      return String(error);
    }
  }
}

function closed(closedUntilMs: number): NotEnrolled {
  return { ...unreachable("the tenant is being deleted"), closedUntilMs };
}

function unreachable(detail: string): NotEnrolled {
  return { result: "unreachable", detail };
}

/** Each carries out what it then owes before it answers, as far as that can be reached, for twenty seconds. */
const answersWithinMs = 30_000;
/** The alarm takes the next. */
const erasedAtATime = 60;
/** Clocks of several machines say when something was made, and when all was erased: rather too much is erased than too little. */
const skewMs = 5_000;
/** Whatever a sender's clock says. */
const mostClosedMs = 3_600_000;

function messageTo(owner: Owner, jurisdiction: Jurisdiction) {
  return { v: libraryVersion, owner: tenantAsOwner(owner), jurisdiction } as const;
}

function stubOf(env: Cloudflare.Env, owner: Owner, jurisdiction: Jurisdiction) {
  return inJurisdiction(env.LIBRARY, jurisdiction, env.ENVIRONMENT).getByName(libraryName(owner));
}
