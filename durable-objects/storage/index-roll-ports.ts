/** What an erasure through lists (index-roll.ts) asks of a list's tables, of other lists, and of what the entries stand for. */
import type {
  EnrolIndex,
  EnrolIndexOutcome,
  EraseIndex,
  EraseIndexOutcome,
  LeaveIndex,
  LeaveIndexOutcome,
} from "../../src/shared/contracts/index-roll.ts";
import type { Owner } from "../../src/shared/contracts/owner.ts";
import type { ErasureStore } from "./erasure-store.ts";
import type { RollStore } from "./roll-store.ts";

/** A list's tables, as its erasure needs them. */
export interface RolledStore {
  /** `null`: nothing was ever written here, and nothing else may be asked. */
  owner(): Owner | null;
  /** Makes the tables. */
  open(owner: Owner): void;
  readonly roll: RollStore;
  readonly erasure: ErasureStore;
  /** Takes out of the list what was made by then, and dooms the objects that it stood for. */
  doomThrough(throughMs: number, nowMs: number): void;
  /** Whether anything is listed. */
  holdsAny(): boolean;
  /** Whether anything is kept at all, a trace of what was deleted as well. */
  isEmpty(nowMs: number): boolean;
  /** Deletes everything. Nothing else may run until it is done. */
  erase(): Promise<void>;
}

/** Another owner's list of the same kind. */
export interface RolledIndex {
  enrol(message: EnrolIndex): Promise<EnrolIndexOutcome>;
  leave(message: LeaveIndex): Promise<LeaveIndexOutcome>;
  erase(message: EraseIndex): Promise<EraseIndexOutcome>;
}

export interface RollParts {
  /** A stub is made for each call: one that failed stays broken. */
  readonly index: (owner: Owner) => RolledIndex;
  /** Erases what an entry stands for. @returns the id of what is kept of its deletion, if anything is. Rejects where it can't be reached */
  readonly eraseObject: (objectName: string, owner: Owner) => Promise<string | null>;
  /**
   * Of a deleted tenant, when no isolate knows it any more: what was made by then is its. `null`: it was not deleted after all.
   * Erases what else is found only by the tenant. Rejects where somebody can't be asked.
   */
  readonly lookAgain: (tenant: string, deletedMs: number) => Promise<number | null>;
}
