/**
 * One request, and a second replica that is asked when the first is late: the first byte wins, and the other attempt is cancelled at once,
 * unless it should go on to show whether its replica answers at all. This file knows nothing of replicas or budgets; dispatch.ts says who
 * may be second.
 */
import { Leaving, type LeaveSignal } from "../contracts/leave-signal.ts";
import { timedOut, within } from "../isolate/within.ts";
import { isForAnother, type Failed } from "./ask-replica.ts";
import type { OriginAnswer } from "./ports.ts";

type Asked = Failed | OriginAnswer;
/** Asks one replica. Never rejects. */
export type Ask = (signal: LeaveSignal) => Promise<Asked>;

export interface HedgeTerms {
  readonly signal: LeaveSignal;
  /** How long the first may take before a second is asked. */
  readonly afterMs: number;
  /** The second, asked later, was quicker than the first. True: the first's request goes on, by itself, up to its first byte. */
  readonly outrun: () => boolean;
  /** Takes the loser's end along: its lease is given back when its request is closed. */
  readonly onLoser: (ended: Promise<void>) => void;
}

/** @param second called at most once, when the first is late; `null`: no replica may be asked */
export async function hedged(first: Ask, second: () => Ask | null, terms: HedgeTerms): Promise<Asked> {
  const one = begin(first, terms.signal);
  if ((await within(one.result, terms.afterMs)) !== timedOut) return one.result;
  const ask = second();
  if (ask === null) return one.result;
  const other = begin(ask, terms.signal);
  const oneIsFirst = await Promise.race([one.result.then(() => true), other.result.then(() => false)]);
  const [fast, slow] = oneIsFirst ? [one, other] : [other, one];
  const result = await fast.result;
  // If one fails, the other decides.
  if ("kind" in result && isForAnother(result)) return slow.result;
  const isGone = "kind" in result && result.kind === "gone";
  if (slow === one && !isGone && terms.outrun()) slow.goOnAlone();
  else slow.leave();
  terms.onLoser(slow.result.then(letGo));
  return result;
}

interface Begun {
  readonly result: Promise<Asked>;
  readonly leave: () => void;
  /** Continues even if the client leaves. */
  readonly goOnAlone: () => void;
}

function begin(ask: Ask, signal: LeaveSignal): Begun {
  const leaving = new Leaving();
  const leave = (): void => leaving.leave(signal.reason);
  if (signal.aborted) leave();
  else signal.addEventListener("abort", leave, { once: true });
  return { result: ask(leaving), leave, goOnAlone: () => signal.removeEventListener("abort", leave) };
}

/** Its first byte may have been on its way when it lost. */
function letGo(result: Asked): void {
  if (!("kind" in result)) result.report("client-gone");
}
