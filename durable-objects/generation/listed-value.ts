/**
 * The part of a turn's value that concerns its owner's list: what was reported, and what is owed after a change. Pure. The effect only says
 * that the list is to be told; the content is read when the effect is delivered, so that no effect stores content.
 *
 * It is stored beside the outbox, though it is delivered with it: older code does not know this effect and would retry it for ever. It
 * ignores the member.
 */
import type { Effect, ListedTurn } from "../../src/shared/turn/durable/ports.ts";
import type { ListedValue, OutboxAttempt, OutboxValue, TurnValue } from "./turn-value.ts";

/** Splits an end's effects into the list's and the others. */
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

/** The list is owed one more message, which covers any that is still owed. Nothing for a turn that is in no list. */
export function owedAgain(
  { listed }: Pick<TurnValue, "listed">,
  nowMs: number,
): { readonly listed?: ListedValue } {
  if (listed === undefined) return {};
  return { listed: owed(Math.max(nowMs, listed.revision + 1), listed.effect, nowMs) };
}

/** Everything that is owed. The list's entry has its revision as its id, so that one in delivery is not taken for a later one. */
export function outboxOf({ outbox, listed }: Pick<TurnValue, "outbox" | "listed">): readonly OutboxValue[] {
  if (listed === undefined || listed.owed === null) return outbox;
  return [...outbox, { id: listed.revision, effect: listed.effect, ...listed.owed }];
}

/** The outcome of the list's delivery, if it was tried. */
export function listedAfter(
  { listed }: Pick<TurnValue, "listed">,
  tried: ReadonlyMap<number, OutboxAttempt>,
): { readonly listed?: ListedValue } {
  if (listed === undefined) return {};
  const attempt = tried.get(listed.revision);
  return attempt === undefined ? {} : { listed: { ...listed, owed: attempt.retry } };
}

/** True for a listed chat completion, whose messages are shown; a response holds its own input. */
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
