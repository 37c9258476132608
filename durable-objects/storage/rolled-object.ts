/** What a list's object hears of other owners' lists of its kind (index-roll.ts), whatever it lists. */
import { DurableObject } from "cloudflare:workers";
import type {
  EnrolIndex,
  EnrolIndexOutcome,
  EraseIndex,
  EraseIndexOutcome,
  LeaveIndex,
  LeaveIndexOutcome,
} from "../../src/shared/contracts/index-roll.ts";
import type { IndexRoll } from "./index-roll.ts";
import type { RolledIndex } from "./index-roll-ports.ts";

export abstract class RolledObject extends DurableObject implements RolledIndex {
  protected abstract readonly roll: IndexRoll;

  /** In a tenant's own. */
  async enrol(message: EnrolIndex): Promise<EnrolIndexOutcome> {
    return this.roll.enrol(message);
  }

  /** In a tenant's own. */
  leave(message: LeaveIndex): Promise<LeaveIndexOutcome> {
    return this.roll.leave(message);
  }

  /** Of a user, or of a whole tenant with all its users: every entry, with what it stands for. */
  erase(message: EraseIndex): Promise<EraseIndexOutcome> {
    return this.roll.erase(message);
  }
}
