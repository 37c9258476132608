/**
 * How an erasure of a user's, or of a whole tenant's, reaches all that their lists stand for. A user's list enrols with the tenant's own before
 * its first entry, so that what the tenant's does not know of is never there. What is erased is out of the list with the message; the objects
 * that it stood for, and the tenant's users, are told until each has confirmed: storage says who, so a crash loses none of it.
 *
 * Isolates know a deleted tenant for a while, so it is looked again when none can any more.
 */
import {
  type EnrolIndex,
  type EnrolIndexOutcome,
  type EraseIndex,
  type EraseIndexOutcome,
  indexRollVersion,
  type LeaveIndex,
  type LeaveIndexOutcome,
} from "../../src/shared/contracts/index-roll.ts";
import type { Owner } from "../../src/shared/contracts/owner.ts";
import { within } from "../../src/shared/isolate/within.ts";
import { tenantAsOwner } from "../../src/shared/retrieval/knowledge-ref.ts";
import { callObject } from "./call-object.ts";
import { rememberErasureMs } from "./erasure-store.ts";
import { inTime, longestWaitMs } from "./in-time.ts";
import { atOnce, faultOf, inTurn, nothingToDo, once, type Round } from "./in-turn.ts";
import type { RolledIndex, RolledStore, RollParts } from "./index-roll-ports.ts";
import { wrongMessage } from "./owned-message.ts";
import type { DoomedMember } from "./roll-store.ts";

export class IndexRoll {
  readonly #context: DurableObjectState;
  readonly #store: RolledStore;
  readonly #parts: RollParts;
  /** One call at a time: two would enrol twice, and the first enrolment would belong to no list. */
  #joining: Promise<void> | null = null;
  #erasures = 0;
  #owedByMembers = 0;
  #under: Promise<void> | null = null;
  #failures = 0;
  #againMs = 0;

  constructor(context: DurableObjectState, store: RolledStore, parts: RollParts) {
    this.#context = context;
    this.#store = store;
    this.#parts = parts;
  }

  /** Before anything is listed here. Rejects where the tenant's own can't be asked: whoever tells this list tells it again. */
  async join(owner: Owner): Promise<void> {
    if (this.#store.owner() !== null && this.#store.roll.membership().enrolment !== null) return;
    this.#joining ??= this.#enrol(owner).finally(() => {
      this.#joining = null;
    });
    await this.#joining;
  }

  /** In a tenant's own. */
  enrol(message: EnrolIndex): EnrolIndexOutcome {
    const failure = wrongMessage(message, indexRollVersion, this.#store);
    if (failure !== null) return failure;
    this.#store.open(message.owner);
    this.#store.roll.enrol(message);
    return { result: "enrolled", erasedMs: this.#store.erasure.throughMs() };
  }

  /** In a tenant's own. */
  async leave(message: LeaveIndex): Promise<LeaveIndexOutcome> {
    const failure = wrongMessage(message, indexRollVersion, this.#store);
    if (failure !== null) return failure;
    if (this.#store.owner() !== null) {
      this.#store.roll.strike(message);
      await this.wakeInTime();
    }
    return { result: "left" };
  }

  async erase(message: EraseIndex): Promise<EraseIndexOutcome> {
    const failure = wrongMessage(message, indexRollVersion, this.#store);
    if (failure !== null) return failure;
    const { owner, throughMs, lookAgainMs = 0 } = message;
    const nowMs = Date.now();
    // An enrolment that is on its way counts for nothing; and whoever asks again wants it tried again.
    this.#erasures += 1;
    this.#againMs = 0;
    this.#store.open(owner);
    this.#erase(throughMs, nowMs);
    const { roll } = this.#store;
    if (owner.user === "") {
      this.#owedByMembers = 0;
      roll.close(Math.min(lookAgainMs, nowMs + mostAheadMs));
      roll.doom(throughMs);
    }
    const isKept = this.#store.holdsAny();
    if (owner.user !== "" && !isKept) roll.leaves();
    await within(this.run(), longestWaitMs);
    return { result: "erased", pending: this.#owed() + this.#owedByMembers, ...(isKept && { kept: true }) };
  }

  /** The list is empty by itself, so that nobody need count on it. */
  leaveIfEmpty(): void {
    if (this.#store.owner() !== null && !this.#store.holdsAny()) this.#store.roll.leaves();
  }

  /** When the alarm is to ring for this; `null`: never. */
  nextMs(nowMs: number): number | null {
    if (this.#store.owner() === null) return null;
    const { roll, erasure } = this.#store;
    const throughMs = erasure.throughMs();
    const { closedUntilMs } = roll.membership();
    const times = [
      this.#owed() > 0 ? Math.max(nowMs, this.#againMs) : null,
      closedUntilMs > 0 ? Math.max(closedUntilMs, this.#againMs) : null,
      throughMs > 0 ? Math.max(nowMs, throughMs) + rememberErasureMs : null,
      this.isOver(nowMs) ? nowMs : null,
    ].filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Nothing is here, nobody counts on it, and nothing that is late can come. */
  isOver(nowMs: number): boolean {
    if (this.#store.owner() === null || this.#joining !== null) return false;
    const { roll, erasure } = this.#store;
    const { enrolment, closedUntilMs } = roll.membership();
    const isNobodys = enrolment === null && closedUntilMs === 0 && roll.count() === 0 && this.#owed() === 0;
    return isNobodys && erasure.isOver() && this.#store.isEmpty(nowMs);
  }

  /** What is due; and where nothing is left, the object forgets itself. Never throws. */
  async run(): Promise<void> {
    // One at a time. A run that is under way may have passed by what has become due since.
    while (this.#under !== null) await this.#under;
    this.#under = this.#carryOut().finally(() => {
      this.#under = null;
    });
    await this.#under;
  }

  /** After a change that leaves something for later. */
  async wakeInTime(): Promise<void> {
    const nextMs = this.nextMs(Date.now());
    if (nextMs === null) return;
    const alarm = await this.#context.storage.getAlarm();
    if (alarm === null || alarm > nextMs) await this.#context.storage.setAlarm(nextMs);
  }

  #owed(): number {
    const { roll, erasure } = this.#store;
    return erasure.owedCount() + roll.doomedCount() + (roll.membership().leaving === null ? 0 : 1);
  }

  #erase(throughMs: number, nowMs: number): void {
    this.#store.erasure.extend(throughMs);
    this.#store.doomThrough(throughMs, nowMs);
  }

  async #carryOut(): Promise<void> {
    const owner = this.#store.owner();
    if (owner === null) return;
    this.#store.erasure.tidy(Date.now());
    if (this.#againMs <= Date.now()) {
      // Should memory be lost from here on, the alarm goes on.
      if (this.#owed() > 0) await this.#context.storage.setAlarm(Date.now() + retryMs);
      const done = [
        await this.#lookAgain(owner),
        await this.#eraseObjects(owner),
        await this.#leave(owner),
        await this.#eraseMembers(owner),
      ];
      this.#heard(
        done.flatMap(({ faults }) => faults),
        done.some(({ heard }) => heard > 0),
      );
    }
    if (this.isOver(Date.now())) await this.#context.blockConcurrencyWhile(() => this.#store.erase());
    else await this.wakeInTime();
  }

  async #enrol(owner: Owner): Promise<void> {
    const before = this.#erasures;
    const enrolment = crypto.randomUUID();
    const outcome = await this.#ask(tenantAsOwner(owner), async (index) =>
      index.enrol({ v: indexRollVersion, owner: tenantAsOwner(owner), user: owner.user, enrolment }),
    );
    if (outcome.result !== "enrolled") throw new Error(`a tenant's list answers ${outcome.result}`);
    // The tenant's may have struck it out already, among those that it has erased.
    if (before !== this.#erasures) return this.#enrol(owner);
    this.#store.open(owner);
    this.#store.roll.enrolled(enrolment);
    if (outcome.erasedMs > 0) this.#erase(outcome.erasedMs, Date.now());
  }

  async #lookAgain({ tenant, user }: Owner): Promise<Round> {
    const { closedUntilMs } = this.#store.roll.membership();
    if (user !== "" || closedUntilMs === 0 || closedUntilMs > Date.now()) return nothingToDo;
    return once(async () => {
      const throughMs = await this.#parts.lookAgain(tenant, closedUntilMs - knownAfterwardsMs);
      if (throughMs !== null) {
        // Also for a list that enrols later than this, with what was made by then and is told only now.
        this.#erase(throughMs, Date.now());
        this.#store.roll.doom(throughMs);
      }
      this.#store.roll.reopen(closedUntilMs);
    });
  }

  #eraseObjects(owner: Owner): Promise<Round> {
    return inTurn<string>(
      (after) => this.#store.erasure.owed(after ?? "", atOnce),
      (name) => this.#eraseObject(name, owner),
      objectsAtATime,
    );
  }

  async #eraseObject(name: string, owner: Owner): Promise<string | null> {
    return faultOf(async () => {
      // 0: the version before forgets it a day behind the erasure.
      const throughMs = this.#store.erasure.throughMs() || Infinity;
      const record = await inTime(this.#parts.eraseObject(name, owner, throughMs));
      this.#store.erasure.erased(name, record, Date.now());
    });
  }

  async #leave(owner: Owner): Promise<Round> {
    const { leaving } = this.#store.roll.membership();
    if (leaving === null) return nothingToDo;
    return once(async () => {
      const outcome = await this.#ask(tenantAsOwner(owner), async (index) =>
        index.leave({
          v: indexRollVersion,
          owner: tenantAsOwner(owner),
          user: owner.user,
          enrolment: leaving,
        }),
      );
      if (outcome.result !== "left") throw new Error(`a tenant's list answers ${outcome.result}`);
      this.#store.roll.left(leaving);
    });
  }

  #eraseMembers(owner: Owner): Promise<Round> {
    return inTurn<DoomedMember>(
      (after) => this.#store.roll.doomed(after?.user ?? "", atOnce),
      (member) => this.#eraseMember(owner, member),
      membersAtATime,
    );
  }

  async #eraseMember({ tenant }: Owner, member: DoomedMember): Promise<string | null> {
    const owner = { tenant, user: member.user };
    return faultOf(async () => {
      const outcome = await this.#ask(owner, async (index) =>
        index.erase({ v: indexRollVersion, owner, throughMs: member.doomedMs }),
      );
      if (outcome.result !== "erased") throw new Error(`a user's list answers ${outcome.result}`);
      this.#owedByMembers += outcome.pending;
      if (outcome.kept === true) this.#store.roll.spare(member);
      else this.#store.roll.strike(member);
    });
  }

  async #ask<Outcome>(owner: Owner, ask: (index: RolledIndex) => Promise<Outcome>): Promise<Outcome> {
    const called = await inTime(
      callObject(async () => ask(this.#parts.index(owner))),
      answersWithinMs,
    );
    if (!called.ok) throw new Error(called.error.detail);
    return called.value;
  }

  /** @param hasWorked somebody has heard what is owed: whoever has not is tried again with the next, and holds nobody up */
  #heard(faults: readonly string[], hasWorked: boolean): void {
    const isStuck = faults.length > 0 && !hasWorked;
    this.#failures = isStuck ? this.#failures + 1 : 0;
    this.#againMs = isStuck ? Date.now() + retryMs * 2 ** Math.min(this.#failures - 1, 6) : 0;
    if (this.#failures >= reportFrom)
      // oxlint-disable-next-line no-console -- the log is the only way out of an object for what needs an operator
      console.error(JSON.stringify({ event: "fault", component: "index roll", detail: faults[0] }));
  }
}

/** For so long isolates may know a tenant that is gone. */
const knownAfterwardsMs = 600_000;
/** Whatever a sender's clock says. */
const mostAheadMs = 3_600_000;
/** One that erases waits so long itself, for those that it tells. */
const answersWithinMs = longestWaitMs + 10_000;
const retryMs = 5_000;
/** The alarm takes the next. */
const objectsAtATime = 600;
const membersAtATime = 60;
/** From here on each failure is reported. */
const reportFrom = 3;
