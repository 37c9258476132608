/**
 * One turn of a conversation at a time: may this one begin now, must it wait, or is it turned away? Pure: the queue
 * itself, its clock and its storage are the Conversation object's (durable-objects/conversation/turn-gate.ts).
 */
export type TurnPolicyName = "queue" | "reject" | "replace";

/** A turn that is being written. */
export interface RunningTurn {
  readonly turnId: string;
  /** As clients see it: names its Generation object. */
  readonly responseId: string;
  readonly beganMs: number;
  /** The time by which it must have ended. */
  readonly leaseMs: number;
  /** The client's new items as JSON, for whoever watches; `null`: too long to be kept here. */
  readonly input: string | null;
}

/** A turn that wants to begin. */
export interface EnteringTurn extends Omit<RunningTurn, "beganMs" | "leaseMs"> {
  readonly policy: TurnPolicyName;
  /** The longest that it waits in the queue. */
  readonly waitMs: number;
  /** With this many before it, it is turned away. */
  readonly maxWaiting: number;
  /** The longest that it may run. */
  readonly runMs: number;
  /** Turns that are gone without having left: their own objects were asked. */
  readonly gone: readonly string[];
  /** Turns whose cancellation was requested already: their end is awaited. */
  readonly cancelled: readonly string[];
}

export type Entry =
  | { readonly kind: "enter" }
  | { readonly kind: "wait" }
  /** `running`: by policy. `full`: the queue. */
  | { readonly kind: "busy"; readonly why: "running" | "full"; readonly running: RunningTurn };

export function stillRunning(
  running: readonly RunningTurn[],
  gone: readonly string[],
  nowMs: number,
): readonly RunningTurn[] {
  return running.filter(({ turnId, leaseMs }) => leaseMs > nowMs && !gone.includes(turnId));
}

/** @param waiting how many wait already, in the order in which they came */
export function decideEntry(turn: EnteringTurn, running: readonly RunningTurn[], waiting: number): Entry {
  // The same turn again: its first call arrived, and the answer to it did not.
  if (running.some(({ turnId }) => turnId === turn.turnId)) return { kind: "enter" };
  const [first] = running;
  if (first === undefined && waiting === 0) return { kind: "enter" };
  if (first === undefined) return { kind: "wait" };
  switch (turn.policy) {
    case "reject":
      return { kind: "busy", why: "running", running: first };
    case "replace":
      return turn.cancelled.includes(first.turnId)
        ? { kind: "wait" }
        : { kind: "busy", why: "running", running: first };
    case "queue":
      return waiting >= turn.maxWaiting ? { kind: "busy", why: "full", running: first } : { kind: "wait" };
  }
}
