/**
 * Where does an item of a conversation stand, and which items lead to it? Nothing is overwritten: a turn put behind an
 * earlier item begins a branch, and a branch is its own items behind those of its parent up to the fork.
 *
 * An item's key holds both: branch × 2^24 + position. The position is its depth from the beginning, so that all items of a
 * branch are one range of the primary key, in order, without an index; and a conversation without branches, as older
 * code wrote it, is branch 0 with positions as they were.
 */
const positionsPerBranch = 2 ** 24;

/** Each edit or regeneration makes one; no real conversation has more. */
export const mostBranches = 1000;

export interface Place {
  readonly branch: number;
  /** From 1; 0 is before the first item. */
  readonly position: number;
}

export interface Branch {
  readonly parent: number;
  /** Position of the last item that it shares with its parent; 0: none. */
  readonly fork: number;
}

/** Items of one branch: those with keys in (`above`, `upTo`]. */
export interface Segment {
  readonly branch: number;
  readonly above: number;
  readonly upTo: number;
}

/** In place of an item's id as a turn's parent: the end of that branch, whatever it is then. */
export function endOfBranch(branch: number): string {
  return `br_${branch}`;
}

/** `null`: an item's id, or nothing that is one. */
export function branchAtEnd(behind: string): number | null {
  const [, branch] = /^br_(\d{1,6})$/.exec(behind) ?? [];
  return branch === undefined ? null : Number(branch);
}

export function keyOf({ branch, position }: Place): number {
  if (position < 0 || position >= positionsPerBranch) throw new RangeError("no such position in a branch");
  return branch * positionsPerBranch + position;
}

export function placeOf(key: number): Place {
  return { branch: Math.floor(key / positionsPerBranch), position: key % positionsPerBranch };
}

/**
 * The way from an item back to the beginning: newest segment first.
 *
 * @param branchOf `null`: unknown, which breaks an invariant for every branch but 0
 */
export function pathTo(end: Place, branchOf: (branch: number) => Branch | null): Segment[] {
  const path: Segment[] = [];
  let { branch, position } = end;
  for (let step = 0; step <= mostBranches; step += 1) {
    const own = branch === 0 ? { parent: 0, fork: 0 } : branchOf(branch);
    if (own === null) throw new Error("a branch without its beginning");
    if (position > own.fork)
      path.push({
        branch,
        above: keyOf({ branch, position: own.fork }),
        upTo: keyOf({ branch, position }),
      });
    if (branch === 0) return path;
    position = Math.min(position, own.fork);
    branch = own.parent;
  }
  throw new Error("a branch that leads to itself");
}

export function isOn(path: readonly Segment[], key: number): boolean {
  return path.some(({ above, upTo }) => key > above && key <= upTo);
}

/** The path without what follows `key` (and without `key` itself). */
export function before(path: readonly Segment[], key: number): Segment[] {
  const at = path.findIndex(({ above, upTo }) => key > above && key <= upTo);
  return path
    .slice(at)
    .map((segment, index) => (index === 0 ? { ...segment, upTo: key - 1 } : segment))
    .filter(({ above, upTo }) => upTo > above);
}

/** The path behind `key`, still newest first. */
export function after(path: readonly Segment[], key: number): Segment[] {
  const at = path.findIndex(({ above, upTo }) => key > above && key <= upTo);
  return path
    .slice(0, at + 1)
    .map((segment, index) => (index === at ? { ...segment, above: key } : segment))
    .filter(({ above, upTo }) => upTo > above);
}
