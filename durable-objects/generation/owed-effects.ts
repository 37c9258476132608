/**
 * The effects that an ended turn still owes, as stored in the turn's value: when each is due, and what is left after an attempt. A long
 * effect is stored in parts of its own, which are deleted with it.
 */
import type { Effect } from "../../src/shared/turn/durable/ports.ts";
import type { OutboxState } from "../../src/shared/turn/durable/turn-state.ts";
import { listedAfter, outboxOf } from "./listed-value.ts";
import type { LongText } from "./long-text.ts";
import type { OutboxAttempt, OutboxEntry, OutboxValue, TurnValue } from "./turn-value.ts";

type Owing = Pick<TurnValue, "outbox" | "listed">;

export class OwedEffects {
  readonly #texts: LongText;

  constructor(texts: LongText) {
    this.#texts = texts;
  }

  /** Call it in the transaction of the value. */
  written(effects: readonly Effect[], nowMs: number): readonly OutboxValue[] {
    return effects.map((effect, id) => ({
      id,
      effect: this.#texts.write(nameOf(id), JSON.stringify(effect)),
      attempts: 0,
      dueMs: nowMs,
    }));
  }

  state(value: Owing | null): OutboxState {
    const outbox = value === null ? [] : outboxOf(value);
    return {
      pending: outbox.length,
      nextDueMs: outbox.length === 0 ? null : Math.min(...outbox.map(({ dueMs }) => dueMs)),
    };
  }

  due(value: Owing | null, nowMs: number): OutboxEntry[] {
    if (value === null) return [];
    return outboxOf(value)
      .filter(({ dueMs }) => dueMs <= nowMs)
      .map(({ id, effect, attempts }) => {
        const text = this.#texts.read(nameOf(id), effect);
        if (text === null) throw new Error("the outbox lost an effect");
        return { id, effect: JSON.parse(text) as Effect, attempts };
      });
  }

  /** Call it in the transaction of the value. */
  after(value: Owing, attempts: readonly OutboxAttempt[]): Partial<Owing> {
    const tried = new Map(attempts.map((attempt) => [attempt.id, attempt]));
    const outbox: OutboxValue[] = [];
    for (const entry of value.outbox) {
      const attempt = tried.get(entry.id);
      if (attempt === undefined) outbox.push(entry);
      else if (attempt.retry !== null)
        outbox.push({ ...entry, ...attempt.retry, ...this.#left(entry.id, attempt) });
      else if (entry.effect === null) this.#texts.drop(nameOf(entry.id));
    }
    return { outbox, ...listedAfter(value, tried) };
  }

  #left(id: number, { left }: OutboxAttempt): { readonly effect?: string | null } {
    return left === undefined ? {} : { effect: this.#texts.write(nameOf(id), JSON.stringify(left)) };
  }
}

function nameOf(id: number): string {
  return `effect-${id}`;
}
