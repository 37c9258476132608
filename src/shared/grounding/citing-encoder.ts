/**
 * A stream whose end lists what it cites. It wraps the encoder of a chat's format, and only where the model was given passages, so that
 * other streams pay nothing for it. Chunks carry `citations` beside the last finish reason, the last JSON before the usage; `stream_format:
 * "text"` in its one last event.
 */
import type { AnswerPassOptions } from "../stream/answer-options.ts";
import type { AnswerEncoder } from "../stream/answer-encoder.ts";
import type { AnswerCollector } from "../stream/answer-collector.ts";
import { CitedPassages, withCitations } from "./citations.ts";
import type { Grounding } from "./ground.ts";

/** What of a request decides how its answers cite. */
interface CitingAsked {
  readonly choices: number;
  readonly format: string;
  readonly contentIsJson: boolean;
}

/** @param unfinished how many choices have no end yet */
function citing(
  inner: AnswerEncoder,
  cited: CitedPassages,
  grounding: Grounding,
  unfinished: number,
  isText: boolean,
): AnswerEncoder {
  let open = unfinished;
  const read = (choice: number, piece: string): void => {
    // The text format tells the first choice alone.
    if (!isText || choice === 0) cited.read(choice, piece);
  };
  return {
    begin: (createdSeconds) => inner.begin(createdSeconds),
    content: (choice, literal) => {
      read(choice, JSON.parse(literal) as string);
      return inner.content(choice, literal);
    },
    // Every text is read, so that none may pass as bytes.
    frame: () => null,
    delta: (delta) => {
      if (delta.content !== undefined) read(delta.index, delta.content);
      return inner.delta(delta);
    },
    finish: (choice, reason) => {
      const text = inner.finish(choice, reason);
      open -= 1;
      return open > 0 || isText ? text : inLastEvent(text, cited, grounding);
    },
    end: (usage, reason) => {
      const text = inner.end(usage, reason);
      return isText ? inLastEvent(text, cited, grounding) : text;
    },
    failure: (error) => inner.failure(error),
  };
}

/**
 * The same for an answer that may have begun: the citations that were sent already count. The encoder itself if the turn is not grounded.
 */
export function citingAnswer(
  inner: AnswerEncoder,
  grounding: Grounding | null,
  told: Pick<AnswerCollector, "choices"> | null,
  asked: CitingAsked,
): AnswerEncoder {
  if (grounding === null) return inner;
  const cited = new CitedPassages(grounding.passages, asked.contentIsJson);
  const isText = asked.format === "text";
  let open = asked.choices;
  for (const [choice, { content, finishReason }] of (told?.choices ?? []).entries()) {
    if (content !== null && (!isText || choice === 0)) cited.read(choice, content);
    if (finishReason !== null) open -= 1;
  }
  return citing(inner, cited, grounding, open, isText);
}

/** For a pass; nothing where the turn is not grounded. */
export function citingPass(
  grounding: Grounding | null,
  told: Pick<AnswerCollector, "choices"> | null,
  asked: CitingAsked,
): Pick<AnswerPassOptions, "around"> {
  return grounding === null ? {} : { around: (inner) => citingAnswer(inner, grounding, told, asked) };
}

/** @param text events, of which the last is JSON */
function inLastEvent(text: string, cited: CitedPassages, grounding: Grounding): string {
  return text === "" ? text : withCitations(text, cited.citations(), grounding);
}
