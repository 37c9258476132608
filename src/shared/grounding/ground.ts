/**
 * The stage `ground`: what do the caller's files say about the question? All stores are asked at once, within a time budget. If a store is
 * too slow or can't be reached, the answer is given without it (docs/failure-rules.md), and the turn says so.
 */
import { withObjectField, type Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { ChatMessage } from "../prompt/chat-message.ts";
import type { FoundPassage } from "../retrieval/passage.ts";
import type { FoundPassages, KnowledgeSource, LackingPart } from "../retrieval/ports.ts";
import { isRecord } from "../wire/is-record.ts";
import type { ScreenPassages } from "./screen-passages.ts";
import { queryOf, withHistory } from "./question-query.ts";
import type { RetrievalWish } from "./retrieval-wish.ts";

/** A passage as the model reads it. */
export interface GroundedPassage extends FoundPassage {
  /** Its text as a client may read it, by the tenant's policy for answers. Absent: as it is. */
  readonly shown?: string;
  /** The same of its file's name. */
  readonly shownName?: string;
}

/** What a turn knows of the files it may speak of. Kept with a durable turn as JSON: members may only be added. */
export interface Grounding {
  readonly queries: readonly string[];
  /** Best first. */
  readonly passages: readonly GroundedPassage[];
  /**
   * Why something may be missing. `late`: over the budget; `unreachable`: it can't be asked; `unknown`: a store of the tenant's
   * configuration that there is not.
   */
  readonly fault: "late" | "unreachable" | "unknown" | null;
  /** What a store's search was done without. Absent: nothing. */
  readonly lacking?: readonly LackingPart[];
  /** Passages that the tenant's safety policy keeps from the model. Absent: none. */
  readonly withheld?: number;
  /** Passages that there was no room for in the prompt. Absent: none. */
  readonly unshown?: number;
}

/**
 * Never rejects. @param recalling the conversation's history, on its way; `null`: there is none
 */
export type Ground = (recalling: Promise<Recalled> | null) => Promise<Result<Grounding, Refusal>>;
type Recalled = Result<readonly ChatMessage[], Refusal>;

export interface GroundOptions {
  readonly wish: RetrievalWish;
  readonly messages: readonly ChatMessage[];
  readonly source: KnowledgeSource;
  readonly screen: ScreenPassages;
  readonly budgetMs: number;
  /** Fires once, so many milliseconds from now; returns how to stop it. */
  readonly timer: (ms: number, fire: () => void) => () => void;
  /** For the operator: which dependency failed, and how. Never holds content. */
  readonly onFault: (detail: string) => void;
}

/** The most that a turn stores of its passages, as JSON: its journal's events may repeat them, and hold 500,000. */
const mostUnits = 100_000;

export function createGround(options: GroundOptions): Ground {
  const { wish, messages, source, screen, budgetMs, timer, onFault } = options;
  return async (recalling) => {
    const asked = queryOf(messages);
    const query =
      asked.kind === "whole" || recalling === null ? asked.query : await inContext(asked.query, recalling);
    if (query === "") return ok({ queries: [], passages: [], fault: null });
    const late = Promise.withResolvers<Late>();
    const cancel = timer(budgetMs, () => late.resolve({ kind: "late" }));
    const search = {
      queries: [query],
      maxResults: wish.maxResults,
      filters: wish.filters,
      scoreThreshold: wish.scoreThreshold,
      rerank: wish.rerank,
    };
    const outcomes = await Promise.all(
      wish.storeIds.map((id) => Promise.race([outcomeOf(() => source.search(id, search)), late.promise])),
    );
    cancel();
    let fault: Grounding["fault"] = null;
    const found: FoundPassages[] = [];
    for (const [at, outcome] of outcomes.entries()) {
      if (outcome.kind === "found") found.push(outcome.found);
      else if (outcome.kind === "unknown" && !wish.isDefault)
        return err(withObjectField(outcome.refusal, `retrieval.vector_store_ids[${at}]`));
      else fault = noted(outcome, onFault);
    }
    const best = bestOf(found, wish.maxResults);
    const passages = await screen(best).catch((error: unknown) => {
      onFault(`screen: ${messageOf(error)}`);
      return null;
    });
    // Passages that could not be screened count as not found.
    if (passages === null) return ok({ queries: [query], passages: [], fault: "unreachable" });
    const withheld = best.length - passages.length;
    const lacking = lackingOf(found);
    return ok({
      queries: [query],
      passages,
      fault,
      ...(lacking.length === 0 ? {} : { lacking }),
      ...(withheld === 0 ? {} : { withheld }),
    });
  };
}

interface Late {
  readonly kind: "late";
}
type Outcome =
  | { readonly kind: "found"; readonly found: FoundPassages }
  /** The caller has no store with that id, or no longer has it. */
  | { readonly kind: "unknown"; readonly refusal: Refusal }
  | { readonly kind: "unreachable"; readonly detail: string };

async function outcomeOf(search: () => ReturnType<KnowledgeSource["search"]>): Promise<Outcome> {
  try {
    const result = await search();
    if (result.ok) return { kind: "found", found: result.value };
    const { error } = result;
    if (error.kind === "object-unknown" || error.kind === "conflict")
      return { kind: "unknown", refusal: error };
    return { kind: "unreachable", detail: "detail" in error ? `${error.kind}: ${error.detail}` : error.kind };
  } catch (error) {
    return { kind: "unreachable", detail: messageOf(error) };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "thrown value";
}

function noted(
  outcome: Exclude<Outcome, { kind: "found" }> | Late,
  onFault: GroundOptions["onFault"],
): NonNullable<Grounding["fault"]> {
  if (outcome.kind === "unreachable") onFault(outcome.detail);
  if (outcome.kind === "unknown") onFault("a default vector store of the tenant is unknown, or has expired");
  return outcome.kind;
}

/** A history that can't be loaded refuses the turn elsewhere. */
async function inContext(query: string, recalling: Promise<Recalled>): Promise<string> {
  const recalled = await recalling.catch(() => null);
  return recalled?.ok === true ? withHistory(query, recalled.value) : query;
}

/** Of several stores, each file's piece once, best first, as many as were asked for and may be kept. */
function bestOf(found: readonly FoundPassages[], most: number): readonly FoundPassage[] {
  const seen = new Set<string>();
  const best: FoundPassage[] = [];
  let units = 0;
  const all = found.flatMap(({ passages }) => passages).toSorted((left, right) => right.score - left.score);
  for (const passage of all) {
    const place = `${passage.fileId}/${passage.ordinal}`;
    if (seen.has(place)) continue;
    seen.add(place);
    units += JSON.stringify(passage).length;
    if (best.length >= most || units > mostUnits) break;
    best.push(passage);
  }
  return best;
}

function lackingOf(found: readonly FoundPassages[]): readonly LackingPart[] {
  return [...new Set(found.flatMap(({ lacking = [] }) => lacking))];
}

/** Whether all that the stores could say was looked at, with all that looks. */
export function isComplete({ fault, lacking }: Pick<Grounding, "fault" | "lacking">): boolean {
  return fault === null && lacking === undefined;
}

/** The passages that fit into the prompt: no others can be cited. */
export function shownOf(grounding: Grounding, shown: number): Grounding {
  const { passages, unshown = 0 } = grounding;
  if (shown >= passages.length) return grounding;
  return {
    ...grounding,
    passages: passages.slice(0, shown),
    unshown: unshown + passages.length - shown,
  };
}

export function writeGrounding(grounding: Grounding): string {
  return JSON.stringify(grounding);
}

/** What `writeGrounding` wrote; `null`: nothing was kept. */
export function readGrounding(text: string | null): Grounding | null {
  if (text === null) return null;
  const value: unknown = JSON.parse(text);
  // The writer is this file: only that it is of it is checked.
  return isRecord(value) && Array.isArray(value["passages"]) ? (value as unknown as Grounding) : null;
}

/** For `Server-Timing` and the log: what the model was given, and why it was not more. */
export function groundingTold({ passages, fault, lacking, withheld, unshown }: Grounding): string {
  const without = lacking === undefined ? "" : ` without:${lacking.join("+")}`;
  const found = `${fault === null ? "" : `${fault} `}found:${passages.length}${without}`;
  const kept = withheld === undefined ? "" : ` withheld:${withheld}`;
  return found + kept + (unshown === undefined ? "" : ` unshown:${unshown}`);
}
