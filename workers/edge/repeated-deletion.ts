/**
 * A deletion that is repeated because its answer was lost: an object that is missing by then was deleted by the first try. For the caller
 * it is one request, so the answer is not 404.
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
