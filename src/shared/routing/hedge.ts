/**
 * One request, and a second replica asked when the first is late: whoever has a first byte first wins, and the other is let
 * go at once. Knows nothing of replicas or budgets; dispatch.ts says who may be second.
 */
import { eitherLeaves, type LeaveSignal } from "../contracts/leave-signal.ts";
import { isForAnother, type Failed } from "./ask-replica.ts";
import type { OriginAnswer } from "./ports.ts";

type Asked = Failed | OriginAnswer;
/** Asks one replica. Never rejects. */
export type Ask = (signal: LeaveSignal) => Promise<Asked>;

export interface HedgeTerms {
  readonly signal: LeaveSignal;
  /** How long the first may take before a second is asked. */
  readonly afterMs: number;
  /** Takes the loser's end along: its lease is given back when its request is closed. */
  readonly onLoser: (ended: Promise<void>) => void;
}

/** @param second called at most once, when the first is late; `null`: nobody may be asked */
export async function hedged(first: Ask, second: () => Ask | null, terms: HedgeTerms): Promise<Asked> {
  const one = begin(first, terms.signal);
  if (await endsWithin(one.result, terms.afterMs)) return one.result;
  const ask = second();
  if (ask === null) return one.result;
  const other = begin(ask, terms.signal);
  const oneIsFirst = await Promise.race([one.result.then(() => true), other.result.then(() => false)]);
  const [fast, slow] = oneIsFirst ? [one, other] : [other, one];
  const result = await fast.result;
  // What failed for a reason of its own leaves it to the other.
  if ("kind" in result && isForAnother(result)) return slow.result;
  slow.controller.abort();
  terms.onLoser(slow.result.then(letGo));
  return result;
}

interface Begun {
  readonly controller: AbortController;
  readonly result: Promise<Asked>;
}

function begin(ask: Ask, signal: LeaveSignal): Begun {
  const controller = new AbortController();
  return { controller, result: ask(eitherLeaves(signal, controller.signal)) };
}

/** Its first byte may have been on its way when it lost. */
function letGo(result: Asked): void {
  if (!("kind" in result)) result.report("client-gone");
}

async function endsWithin(result: Promise<Asked>, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), ms);
  try {
    return await Promise.race([result.then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
