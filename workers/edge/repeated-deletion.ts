/**
 * A deletion that is asked for again where its answer was lost: what is gone by then, the first try has taken away. The caller,
 * whose one request it was, is not told that there had been nothing.
 *
 * @param gone what is answered then
 */
export function repeatedDeletion<Stub, Answer extends { readonly result: string }>(
  ask: (stub: Stub) => Promise<Answer>,
  gone: (stub: Stub) => Promise<Answer>,
): (stub: Stub) => Promise<Answer> {
  let tries = 0;
  return async (stub) => {
    tries += 1;
    const answer = await ask(stub);
    return tries > 1 && answer.result === "unknown" ? gone(stub) : answer;
  };
}
