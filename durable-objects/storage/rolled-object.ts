/** The messages between lists of one kind (index-roll.ts), whatever they list. */
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

  /** Erases every entry with the object behind it: a user's, or those of a tenant and all its users. */
  erase(message: EraseIndex): Promise<EraseIndexOutcome> {
    return this.roll.erase(message);
  }
}
