/** Waits for work for a bounded time; the work itself goes on afterwards. */

/** What `within` answers in place of an outcome that did not come in time. */
export const timedOut = Symbol("timed out");

/** The outcome of `work`, its rejection as well; or `timedOut` after `ms` milliseconds. */
export async function within<T>(work: Promise<T>, ms: number): Promise<T | typeof timedOut> {
  const limit = Promise.withResolvers<typeof timedOut>();
  const timer = setTimeout(() => limit.resolve(timedOut), ms);
  try {
    return await Promise.race([work, limit.promise]);
  } finally {
    clearTimeout(timer);
  }
}
