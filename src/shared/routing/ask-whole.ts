/**
 * A non-streamed answer that its reader can use. The router only knows that an answer came; whether it is a valid one, only its reader can
 * tell. No byte of it was passed on yet, so if it is invalid another replica is asked, once.
 */
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { goneFailure } from "./gone.ts";
import type { Origin, OriginAnswer, OriginFailure, OriginRequest } from "./ports.ts";
import { wholeText } from "./whole-text.ts";

export interface Usable<T> {
  readonly value: T;
  /** Its end is reported. */
  readonly answer: OriginAnswer;
  /** Of all that were asked. */
  readonly attempts: number;
  /** As `OriginAnswer` has it. */
  readonly tried?: string;
}

/**
 * @param request one that does not stream; its deadline holds for all of it, to the answer's last byte
 * @param read the answer's text as a value, or what is wrong with it, for the log. Must not throw.
 */
export async function askWhole<T>(
  origin: Pick<Origin, "dispatch">,
  request: OriginRequest,
  read: (text: string) => Result<T, string>,
  signal: LeaveSignal,
  now: () => number,
): Promise<Result<Usable<T>, OriginFailure>> {
  const endMs = now() + request.deadlineMs;
  const first = await origin.dispatch(request, signal);
  if (!first.ok) return first;
  const used = await readAnswer(first.value, { attempts: 0 }, read, endMs - now());
  if (used.ok) return used;
  if (signal.aborted) return err(goneFailure(signal));
  const deadlineMs = endMs - now();
  if (deadlineMs <= 0) return err(unusable(used.error));
  const { cluster, replica, attempts, tried } = first.value;
  const before = { attempts, tried: alsoTried(tried, `${cluster}/${replica}: ${used.error}`) };
  const second = await origin.dispatch(
    { ...request, deadlineMs, goesOnFrom: [{ cluster, replica }] },
    signal,
  );
  if (!second.ok) return second;
  const usedNow = await readAnswer(second.value, before, read, endMs - now());
  if (usedNow.ok) return usedNow;
  return err(signal.aborted ? goneFailure(signal) : unusable(usedNow.error));
}

/** Reports how it ended. Where the client left, the router knows that already, and goes by it. */
async function readAnswer<T>(
  answer: OriginAnswer,
  before: { readonly attempts: number; readonly tried?: string },
  read: (text: string) => Result<T, string>,
  leftMs: number,
): Promise<Result<Usable<T>, string>> {
  // Up to some megabytes an answer is here already. Of a longer one the rest may never come.
  const late = answer.body === null ? null : setTimeout(() => answer.report("stalled"), Math.max(0, leftMs));
  let text: string;
  try {
    text = await wholeText(answer);
  } catch {
    answer.report("origin-error");
    return err("the answer broke off");
  } finally {
    if (late !== null) clearTimeout(late);
  }
  const value = read(text);
  answer.report(value.ok ? "done" : "origin-error");
  if (!value.ok) return value;
  const tried = alsoTried(before.tried, answer.tried);
  return ok({
    value: value.value,
    answer,
    attempts: before.attempts + answer.attempts,
    ...(tried !== "" && { tried }),
  });
}

function alsoTried(...tried: readonly (string | undefined)[]): string {
  return tried.filter((one) => one !== undefined).join("; ");
}

function unusable(detail: string): OriginFailure {
  return { kind: "origin-unavailable", retryAfterMs: 1000, detail };
}
