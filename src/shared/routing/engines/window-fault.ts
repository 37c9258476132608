/** Do prompt and answer not fit, by the words of vLLM, OpenAI, and the many servers that borrowed theirs? */
import type { WindowFault } from "./engine.ts";

const windowPattern = /maximum (?:context|model|input) length (?:is|of) (\d+)/i;
const partsPattern = /(\d+) (?:tokens? )?(?:in the messages|in the prompt|in the input|input tokens)/i;
const promptPattern = /prompt \((?:length|total length) (\d+)\)|contains (?:at least )?(\d+) input tokens/i;
const answerPattern = /(\d+) (?:in the completion|for the completion|output tokens)|too large: (\d+)/i;

/** `null` where the message says something else. */
export function usualWindowFault(message: string): WindowFault | null {
  const window = windowPattern.exec(message)?.[1];
  if (window === undefined) return null;
  const prompt = promptPattern.exec(message);
  const answer = answerPattern.exec(message);
  return {
    windowTokens: Number(window),
    promptTokens: Number(partsPattern.exec(message)?.[1] ?? prompt?.[1] ?? prompt?.[2] ?? 0),
    answerTokens: Number(answer?.[1] ?? answer?.[2] ?? 0),
  };
}
