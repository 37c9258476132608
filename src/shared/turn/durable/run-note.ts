/** What does a run note beside its journal because no event shows it? The engine that answers, its price, and the conversation. */
import type { ArchivedTurn } from "../../archive/ports.ts";
import { isRecord } from "../../wire/is-record.ts";
import { roundsIn, type RoundsNote } from "./round-history.ts";

/** What a turn knows of its conversation once it has loaded it, and returns with its `append`. */
export interface EnteredConversation {
  /** A conversation that was deleted since has another one, and gets nothing appended. */
  readonly incarnation: number;
  /** `AppendTurn.behind` of a turn that names nothing: the branch that it answers to. `null`: older code did not say. */
  readonly behind: string | null;
}

/** With the version of the price list. */
export type NotedPrice = NonNullable<ArchivedTurn["price"]>;

/** What a run stores with its journal because no event shows it. */
export interface RunNote {
  readonly model: string;
  readonly cluster: string;
  readonly replica: string;
  /** The conversation that was loaded; `null`: none was. */
  readonly entered: EnteredConversation | null;
  /** The price that the engine's cluster asks. Absent: older code wrote it. */
  readonly price?: NotedPrice;
  /** For a turn with server tools. Absent: it has none, or older code wrote it. */
  readonly rounds?: RoundsNote;
}

/** The conversation's fields beside the others: older code reads them there, and knows no `behind`. */
export function writeNote({ entered, ...note }: RunNote): string {
  return JSON.stringify({ ...note, incarnation: null, ...entered });
}

export function readNote(text: string | null): RunNote | null {
  const value: unknown = text === null ? null : JSON.parse(text);
  if (!isRecord(value)) return null;
  const { model, cluster, replica } = value;
  if (typeof model !== "string" || typeof cluster !== "string" || typeof replica !== "string") return null;
  const rounds = roundsIn(text);
  const price = priceIn(value);
  return {
    model,
    cluster,
    replica,
    entered: enteredIn(value),
    ...(price === null ? {} : { price }),
    ...(rounds === null ? {} : { rounds }),
  };
}

/** The conversation that the run of this note had loaded. */
export function enteredBy(note: string | null): EnteredConversation | null {
  return readNote(note)?.entered ?? null;
}

function enteredIn({ incarnation, behind }: Record<string, unknown>): EnteredConversation | null {
  if (typeof incarnation !== "number") return null;
  return { incarnation, behind: typeof behind === "string" ? behind : null };
}

/** The price by which this note's run is charged. */
export function pricedBy(note: string | null): NotedPrice | null {
  return readNote(note)?.price ?? null;
}

function priceIn({ price }: Record<string, unknown>): NotedPrice | null {
  if (!isRecord(price)) return null;
  const { version, input, output, cached_input: cached } = price;
  if (typeof version !== "string" || typeof input !== "number" || typeof output !== "number") return null;
  return { version, input, output, ...(typeof cached === "number" ? { cached_input: cached } : {}) };
}
