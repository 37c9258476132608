/** How long before a failed request is tried again? Longer each time, and different for each page, so that they don't all hit a recovering server at once. */

const firstMs = 500;
const longestMs = 30_000;

/** @param failures in a row, from 1 @param random from 0 up to 1 */
export function retryPauseMs(failures: number, random: number): number {
  const most = Math.min(longestMs, firstMs * 2 ** (failures - 1));
  return (most * (1 + random)) / 2;
}

/** Ends early when the browser is online again, when the page becomes visible, and when `leaving` aborts. */
export async function pause(ms: number, leaving: AbortSignal): Promise<void> {
  if (leaving.aborted) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      clearTimeout(timer);
      // A page open for days pauses tens of thousands of times, so listeners must go.
      leaving.removeEventListener("abort", go);
      window.removeEventListener("online", go);
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    const look = (): void => {
      if (!document.hidden) go();
    };
    const timer = setTimeout(go, ms);
    leaving.addEventListener("abort", go);
    window.addEventListener("online", go);
    document.addEventListener("visibilitychange", look);
  });
}
