/**
 * Does an error message say that prompt and answer exceed the window? Matches the wording of vLLM, OpenAI, and the many servers that copied
 * theirs.
 */
import type { WindowFault } from "./engine.ts";

const windowPattern =
  /context length is only (\d+)|maximum (?:context|model|input) length (?:is|of) (\d+)|greater than max_model_len=\D*(\d+)/i;
const partsPattern = /(\d+) (?:tokens? )?(?:in the messages|in the prompt|in the input|input tokens)/i;
const promptPattern = /prompt \((?:length|total length) (\d+)\)|contains (?:at least )?(\d+) input tokens/i;
const answerPattern =
  /(\d+) (?:in the completion|for the completion|output tokens)|too large: (\d+)|max_(?:completion_)?tokens=(\d+) ?cannot/i;

/** `null` where the message says something else. */
export function usualWindowFault(message: string): WindowFault | null {
  const window = numberIn(windowPattern, message);
  if (window === null) return null;
  return {
    windowTokens: window,
    promptTokens: numberIn(partsPattern, message) ?? numberIn(promptPattern, message) ?? 0,
    answerTokens: numberIn(answerPattern, message) ?? 0,
  };
}

/** What the first of a pattern's groups holds that holds anything. */
function numberIn(pattern: RegExp, message: string): number | null {
  const found = pattern
    .exec(message)
    ?.slice(1)
    .find((group) => group !== undefined);
  return found === undefined ? null : Number(found);
}
