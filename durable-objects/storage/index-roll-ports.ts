/** What an erasure through lists (index-roll.ts) needs of a list's tables, of other lists, and of the objects behind the entries. */
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
  /** Removes the entries that were created by then, and dooms the objects behind them. */
  doomThrough(throughMs: number, nowMs: number): void;
  /** Whether anything is listed. */
  holdsAny(): boolean;
  /** Whether nothing is kept at all, not even a trace of a deletion. */
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
  /**
   * Erases the object behind an entry, if it was made by `madeThroughMs`: there may be a new one of its name since.
   * @returns the id of its deletion record, if it keeps one. Rejects if it can't be reached
   */
  readonly eraseObject: (objectName: string, owner: Owner, madeThroughMs: number) => Promise<string | null>;
  /**
   * For a deleted tenant, when no isolate knows it any more: what was created by then belongs to it. `null`: it was not deleted after all.
   * Also erases what can only be found by the tenant. Rejects if that can't be determined or done.
   */
  readonly lookAgain: (tenant: string, deletedMs: number) => Promise<number | null>;
}
