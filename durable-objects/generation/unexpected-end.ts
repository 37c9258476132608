import type { Usage } from "../../src/shared/contracts/usage.ts";
import type { Effect, TurnEnd } from "../../src/shared/turn/durable/ports.ts";
import { toWireError } from "../../src/shared/wire/errors.ts";

/**
 * The end of a turn whose runner could not say how it ends: one error event, in the form that every OpenAI client
 * knows, and no `[DONE]`. A reservation that no effect settles stays charged at its estimate.
 */
export function unexpectedEnd(usage: Usage | null, effects: readonly Effect[]): TurnEnd {
  const { body } = toWireError({ kind: "internal", detail: "the runner could not end its turn" });
  return {
    status: "failed",
    events: [{ data: JSON.stringify(body) }],
    response: null,
    usage: usage ?? { promptTokens: 0, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 },
    basis: "counted",
    effects,
  };
}
