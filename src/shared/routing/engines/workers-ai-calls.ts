/**
 * Calls of tools in Workers AI's own stream. Older models send a call whole (`{name, arguments: {…}}`), newer ones in pieces: the
 * name under an index, then pieces of the arguments under the same index, at last a piece with neither.
 */
import { isRecord } from "../../wire/is-record.ts";

type Fields = Readonly<Record<string, unknown>>;

interface Called {
  /** `null`: this piece names none. */
  readonly name: string | null;
  readonly given?: unknown;
}

export function calledOf(call: unknown): Called {
  if (!isRecord(call)) return { name: null };
  const called = isRecord(call["function"]) ? call["function"] : call;
  const { name, arguments: given } = called;
  return { name: typeof name === "string" && name !== "" ? name : null, ...(given == null ? {} : { given }) };
}

export function newCall(call: Fields, name: string, given: unknown, newId: () => string): Fields {
  return {
    id: typeof call["id"] === "string" ? call["id"] : `call_${newId()}`,
    type: "function",
    function: { name, arguments: written(given) },
  };
}

export class ToolCallDeltas {
  readonly #newId: () => string;
  /** By the stream's own index: ours. */
  readonly #begun = new Map<number, number>();
  /** Those that have no arguments yet. */
  readonly #bare = new Set<number>();
  #calls = 0;

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  get any(): boolean {
    return this.#calls > 0;
  }

  /** What goes out for the pieces of one event. */
  read(pieces: unknown): readonly Fields[] {
    if (!Array.isArray(pieces)) return [];
    return (pieces as readonly unknown[]).flatMap((piece) => this.#delta(piece));
  }

  /** At the end of the stream: a call without arguments has an empty object of them. */
  end(): readonly Fields[] {
    return [...this.#bare].map((index) => ({ index, function: { arguments: "{}" } }));
  }

  /** None, or one. */
  #delta(piece: unknown): readonly Fields[] {
    if (!isRecord(piece)) return [];
    const { name, given } = calledOf(piece);
    const own = typeof piece["index"] === "number" ? piece["index"] : null;
    const known = own === null ? undefined : this.#begun.get(own);
    if (known !== undefined) {
      if (given === undefined || given === "") return [];
      this.#bare.delete(known);
      return [{ index: known, function: { arguments: written(given) } }];
    }
    if (name === null) return [];
    const index = this.#calls;
    this.#calls += 1;
    if (own === null) return [{ index, ...newCall(piece, name, given ?? {}, this.#newId) }];
    this.#begun.set(own, index);
    if (given === undefined || given === "") this.#bare.add(index);
    return [{ index, ...newCall(piece, name, given ?? "", this.#newId) }];
  }
}

function written(given: unknown): string {
  return typeof given === "string" ? given : JSON.stringify(given);
}
