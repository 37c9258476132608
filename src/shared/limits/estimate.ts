/**
 * How many tokens of answer are set aside before an answer is known? Too few cost an extension in mid-stream, too many
 * hold back what others could use until the settlement.
 */

/** An extension in mid-stream raises the reservation by so much at least: one call for about ten seconds of streaming. */
const extensionTokens = 512;

/**
 * For all choices of one request together. `maxTokens`: what the client allows each, `null` where it says nothing.
 * `expectedTokens`: what nine answers of ten stay within (answer-lengths.ts).
 */
export function answerReservation(maxTokens: number | null, choices: number, expectedTokens: number): number {
  return Math.min(maxTokens ?? expectedTokens, expectedTokens) * choices;
}

/**
 * For an answer that can't be stopped in mid-stream, since its engine sends it whole: everything that it may come to, and
 * room for the prompt's estimate to be wrong.
 */
export function wholeReservation(
  promptTokens: number,
  maxTokens: number,
  choices: number,
): { readonly promptTokens: number; readonly answerTokens: number } {
  return {
    promptTokens: promptTokens + Math.ceil(promptTokens / 8) + 8,
    answerTokens: maxTokens * choices,
  };
}

/**
 * The total to raise a reservation to when `usedTokens` (prompt and answer so far) come near to `reservedTokens`, at most
 * `mostTokens` (prompt and all that `max_tokens` allows); `null` while the reservation suffices. Asked for early, when an
 * eighth is left, so that the stream need not wait for the answer.
 */
export function extensionAt(
  usedTokens: number,
  reservedTokens: number,
  mostTokens: number | null,
): number | null {
  const most = mostTokens ?? Number.MAX_SAFE_INTEGER;
  if (reservedTokens >= most) return null;
  if (reservedTokens - usedTokens > Math.min(extensionTokens / 8, reservedTokens / 8)) return null;
  return Math.min(most, Math.max(usedTokens, reservedTokens) + extensionTokens);
}
