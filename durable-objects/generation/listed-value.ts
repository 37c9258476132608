/**
 * The part of a turn's value that concerns its owner's list: what was reported, and what is owed after a change. Pure. The effect only says
 * that the list is to be told; the content is read when the effect is delivered, so that no effect stores content.
 *
 * It stands beside the outbox, though it is delivered with it: code of before the list knows no such effect, and would try it for ever. It
 * passes the member over.
 */
import type { Effect, ListedTurn } from "../../src/shared/turn/durable/ports.ts";
import type { ListedValue, OutboxAttempt, OutboxValue, TurnValue } from "./turn-value.ts";

/** Of an end's effects: the list's, and the others. */
export function listedAtEnd(
  effects: readonly Effect[],
  nowMs: number,
): { readonly listed: { readonly listed?: ListedValue }; readonly others: readonly Effect[] } {
  const effect = effects.find(({ kind }) => kind === "list");
  if (effect === undefined) return { listed: {}, others: effects };
  return {
    listed: { listed: owed(nowMs, JSON.stringify(effect), nowMs) },
    others: effects.filter((other) => other !== effect),
  };
}

/** The list is to be told anew, once, whatever it was not told yet. Nothing of a turn that is in none. */
export function owedAgain(
  { listed }: Pick<TurnValue, "listed">,
  nowMs: number,
): { readonly listed?: ListedValue } {
  if (listed === undefined) return {};
  return { listed: owed(Math.max(nowMs, listed.revision + 1), listed.effect, nowMs) };
}

/** All that is owed. The list's entry is called by its revision: one that is being delivered is not taken for a later one. */
export function outboxOf({ outbox, listed }: Pick<TurnValue, "outbox" | "listed">): readonly OutboxValue[] {
  if (listed === undefined || listed.owed === null) return outbox;
  return [...outbox, { id: listed.revision, effect: listed.effect, ...listed.owed }];
}

/** What came of the list's delivery, if it was tried. */
export function listedAfter(
  { listed }: Pick<TurnValue, "listed">,
  tried: ReadonlyMap<number, OutboxAttempt["retry"]>,
): { readonly listed?: ListedValue } {
  if (listed === undefined) return {};
  const retry = tried.get(listed.revision);
  return retry === undefined ? {} : { listed: { ...listed, owed: retry } };
}

/** Of a chat completion in the list, whose messages are shown; a response says itself what it was asked with. */
export function keepsRequest({ listed }: Pick<TurnValue, "listed">): boolean {
  if (listed === undefined) return false;
  const { responseId } = JSON.parse(listed.effect) as Extract<Effect, { kind: "list" }>;
  return !responseId.startsWith("resp_");
}

export function listedTurn(
  { listed, createdMs, endedMs, replayMs, retentionMs }: TurnValue,
  response: () => string | null,
): ListedTurn | null {
  if (listed === undefined || endedMs === null) return null;
  const untilMs = endedMs + Math.max(replayMs, retentionMs);
  return { revision: listed.revision, createdMs, untilMs, response: response() };
}

function owed(revision: number, effect: string, dueMs: number): ListedValue {
  return { revision, effect, owed: { attempts: 0, dueMs } };
}
