import {
  libraryName,
  libraryVersion,
  type EnrolLibraryOutcome,
  type EraseLibraryOutcome,
  type LeaveLibraryOutcome,
} from "../../src/shared/contracts/library.ts";
import type { Jurisdiction, Owner } from "../../src/shared/contracts/owner.ts";
import { tenantAsOwner } from "../../src/shared/retrieval/knowledge-ref.ts";
import { callObject, calledObject } from "../storage/call-object.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";
import type { LibraryStore } from "./library-store.ts";
import type { Member } from "./roll-store.ts";

/**
 * How an erasure of a tenant reaches its users' Libraries. A user's enrols with the tenant's own before its first file or store, so that what
 * the tenant's does not know of is never there; what is erased enrols anew before it takes anything again.
 */
export class LibraryRoll {
  readonly #env: Cloudflare.Env;
  readonly #store: LibraryStore;
  /** One call at a time: two would enrol twice, and the first enrolment would be that of nobody. */
  #joining: Promise<string | null> | null = null;
  #erasures = 0;

  constructor(env: Cloudflare.Env, store: LibraryStore) {
    this.#env = env;
    this.#store = store;
  }

  /** Before anything new lies here. `null`: it may; else why not. Makes the tables. */
  async join(owner: Owner, jurisdiction: Jurisdiction): Promise<string | null> {
    if (owner.user === "") {
      if (this.isClosed(Date.now())) return closed;
      this.#store.open(owner, jurisdiction);
      return null;
    }
    if (this.#store.isOpen && this.#store.roll.membership().enrolment !== null) return null;
    this.#joining ??= this.#enrol(owner, jurisdiction).finally(() => {
      this.#joining = null;
    });
    return this.#joining;
  }

  /** Of a tenant's own: whether it takes nothing new. */
  isClosed(nowMs: number): boolean {
    return this.#store.isOpen && this.#store.roll.membership().closedUntilMs > nowMs;
  }

  /** An enrolment that is on its way counts for nothing: whoever erases may have struck it out already. */
  forgetJoining(): void {
    this.#erasures += 1;
  }

  /** All that lies here goes, and of a tenant's own all its members are to be erased. What others are owed is carried out by the duties. */
  erase({ user }: Owner, closedUntilMs: number, nowMs: number): void {
    this.#store.removeAll(nowMs);
    const { roll } = this.#store;
    if (user === "") {
      roll.close(Math.min(closedUntilMs, nowMs + mostClosedMs));
      roll.doom(nowMs);
    } else roll.leaves();
  }

  /** Tells whom something is owed, some members at a time. Never throws: what was not heard is told again. @returns a fault's detail */
  async tell(owner: Owner, jurisdiction: Jurisdiction): Promise<string | null> {
    const { roll } = this.#store;
    const { leaving } = roll.membership();
    const faults: (string | null)[] = [];
    if (leaving !== null) faults.push(await this.#leave(owner, jurisdiction, leaving));
    const members = roll.doomed(erasedAtATime);
    for (let at = 0; at < members.length; at += atOnce)
      faults.push(
        ...(await Promise.all(
          members
            .slice(at, at + atOnce)
            .map(async (member) => this.#eraseMember(owner, jurisdiction, member)),
        )),
      );
    return faults.find((fault) => fault !== null) ?? null;
  }

  /** Members that are still to be erased, and whether one's own end is still to be told. */
  pending(): number {
    const { roll } = this.#store;
    return roll.doomedCount() + (roll.membership().leaving === null ? 0 : 1);
  }

  /** When a tenant's own takes something new again; `null`: it does. */
  opensMs(nowMs: number): number | null {
    const { closedUntilMs } = this.#store.roll.membership();
    return closedUntilMs > nowMs ? closedUntilMs : null;
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
      this.opensMs(nowMs) === null &&
      this.#store.isEmpty()
    );
  }

  async #enrol(owner: Owner, jurisdiction: Jurisdiction): Promise<string | null> {
    const before = this.#erasures;
    const enrolment = crypto.randomUUID();
    const outcome = await this.#ask<EnrolLibraryOutcome>(tenantAsOwner(owner), jurisdiction, async (stub) =>
      stub.enrol({ ...messageTo(owner, jurisdiction), user: owner.user, enrolment }),
    );
    if (typeof outcome === "string") return outcome;
    if (outcome.result !== "enrolled")
      return outcome.result === "closed" ? closed : `it is ${outcome.result}`;
    // The tenant's counts it among those that it has erased.
    if (before !== this.#erasures) return "it was erased meanwhile";
    this.#store.open(owner, jurisdiction);
    this.#store.roll.enrolled(enrolment);
    return null;
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

  async #eraseMember({ tenant }: Owner, jurisdiction: Jurisdiction, member: Member): Promise<string | null> {
    const owner = { tenant, user: member.user };
    const outcome = await this.#ask<EraseLibraryOutcome>(owner, jurisdiction, async (stub) =>
      stub.erase({ v: libraryVersion, owner, jurisdiction, closedUntilMs: 0 }),
    );
    if (typeof outcome === "string") return outcome;
    if (outcome.result !== "erased") return `a member's library answers ${outcome.result}`;
    this.#store.roll.strike(member);
    return null;
  }

  /** The reason why there is no answer, as text. */
  async #ask<Outcome extends object>(
    owner: Owner,
    jurisdiction: Jurisdiction,
    ask: (stub: ReturnType<typeof stubOf>) => Promise<Outcome>,
  ): Promise<Outcome | string> {
    const called = await callObject(
      async () => ask(stubOf(this.#env, owner, jurisdiction)),
      calledObject("library", libraryName(owner)),
    );
    return called.ok ? called.value : called.error.detail;
  }
}

const closed = "the tenant is being deleted";
/** Each carries out what it then owes before it answers, as far as that can be reached. */
const atOnce = 6;
/** The alarm takes the next. */
const erasedAtATime = 60;
/** Whatever a sender's clock says. */
const mostClosedMs = 3_600_000;

function messageTo(owner: Owner, jurisdiction: Jurisdiction) {
  return { v: libraryVersion, owner: tenantAsOwner(owner), jurisdiction } as const;
}

function stubOf(env: Cloudflare.Env, owner: Owner, jurisdiction: Jurisdiction) {
  return inJurisdiction(env.LIBRARY, jurisdiction, env.ENVIRONMENT).getByName(libraryName(owner));
}
