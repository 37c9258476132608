/**
 * What does a chat completion store of its rounds, so that a run that is lost after one can continue? Its journal shows no calls (chat-rounds.ts):
 * they are stored beside it once they have all ended, each with its result; of the model's words only their number, since the
 * journal has the text. One stored text for each turn, together with its passages of files (`TurnIo.keep`). Pure.
 */
import type { Usage } from "../../contracts/usage.ts";
import { type Grounding, writeGrounding } from "../../grounding/ground.ts";
import type { ServerCall } from "../../responses/server-items.ts";
import { AnswerCollector } from "../../stream/answer-collector.ts";
import { isRecord } from "../../wire/is-record.ts";
import { maxGatheredCharacters } from "./gathered.ts";
import type { Round } from "./round-history.ts";

/** Between the texts of two rounds. */
export const betweenRounds = "\n\n";

interface KeptRound {
  /** UTF-16 units of its text and of its reasoning. */
  readonly content: number;
  readonly reasoning: number;
  /** It also called functions of the client: only the last round can. */
  readonly isTheirs: boolean;
  readonly calls: readonly { readonly id: string; readonly call: ServerCall; readonly told: string }[];
}

interface KeptRounds {
  readonly prior: Usage;
  readonly rounds: readonly KeptRound[];
}

/** JSON. Older code reads only its grounding. @param prior the usage of these rounds */
export function writeKept(grounding: Grounding | null, rounds: readonly Round[], prior: Usage): string {
  const kept: KeptRounds = {
    prior,
    rounds: rounds.map(({ said, calls }) => {
      const [choice] = said.choices;
      return {
        content: choice?.content?.length ?? 0,
        reasoning: choice?.reasoning?.length ?? 0,
        isTheirs: (choice?.toolCalls.length ?? 0) > 0,
        calls: calls.map(({ id, call, told }) => ({ id, call, told: told ?? "" })),
      };
    }),
  };
  const found = grounding === null ? {} : (JSON.parse(writeGrounding(grounding)) as object);
  return JSON.stringify({ ...found, rounds: kept });
}

interface TakenApart {
  readonly rounds: readonly Round[];
  /** The text since then. */
  readonly collected: AnswerCollector;
  /** The usage of the rounds. */
  readonly prior: Usage;
}

/** @param whole the journal's text of all rounds together. Returns `null` if no round is stored */
export function takeApart(kept: string | null, whole: AnswerCollector): TakenApart | null {
  const found = keptRounds(kept);
  if (found === null) return null;
  const [choice] = whole.choices;
  let content = choice?.content ?? "";
  let reasoning = choice?.reasoning ?? "";
  let hasSaid = false;
  const take = (units: number, thought: number): AnswerCollector => {
    if (hasSaid && units > 0) content = content.slice(betweenRounds.length);
    hasSaid ||= units > 0;
    const said = new AnswerCollector(maxGatheredCharacters, false);
    if (units > 0) said.content(0, content.slice(0, units));
    if (thought > 0) said.delta({ index: 0, reasoning: reasoning.slice(0, thought) });
    content = content.slice(units);
    reasoning = reasoning.slice(thought);
    return said;
  };
  const rounds = found.rounds.map(({ content: units, reasoning: thought, calls }): Round => ({
    said: take(units, thought),
    calls: calls.map((called) => ({ ...called })),
  }));
  // A round that called the client's functions was the last.
  const last = rounds.at(-1);
  const isTheirs = found.rounds.at(-1)?.isTheirs === true;
  const collected = take(
    content.length - (hasSaid && content !== "" ? betweenRounds.length : 0),
    reasoning.length,
  );
  for (const [index, { id, name, arguments: text }] of (choice?.toolCalls ?? []).entries())
    (isTheirs && last !== undefined ? last.said : collected).delta({
      index: 0,
      toolCalls: [{ index, id, type: "function", function: { name, arguments: text } }],
    });
  if (choice?.refusal != null) collected.delta({ index: 0, refusal: choice.refusal });
  if (choice?.finishReason != null) collected.finish(0, choice.finishReason);
  return { rounds, collected, prior: found.prior };
}

/** Written by this file, so only its form is checked. */
function keptRounds(text: string | null): KeptRounds | null {
  const value: unknown = text === null ? null : JSON.parse(text);
  const kept: unknown = isRecord(value) ? value["rounds"] : null;
  return isRecord(kept) && Array.isArray(kept["rounds"]) ? (kept as unknown as KeptRounds) : null;
}
