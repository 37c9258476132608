/**
 * A deletion that is asked for again where its answer was lost: what is gone by then, the first try has taken away. The caller,
 * whose one request it was, is not told that there had been nothing.
 *
 * @param gone what is answered then
 */
export function repeatedDeletion<
  Asked extends readonly unknown[],
  Answer extends { readonly result: string },
>(
  ask: (...asked: Asked) => Promise<Answer>,
  gone: (...asked: NoInfer<Asked>) => Promise<Answer>,
): (...asked: Asked) => Promise<Answer> {
  let tries = 0;
  return async (...asked) => {
    tries += 1;
    const answer = await ask(...asked);
    return tries > 1 && answer.result === "unknown" ? gone(...asked) : answer;
  };
}
