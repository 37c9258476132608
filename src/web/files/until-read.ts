/** Polls until a file is searchable or has failed. */
import { ApiError } from "../api.ts";
import { pause, retryPauseMs } from "../retry-pause.ts";
import { lookAtFile, type StoredFile } from "./files-api.ts";

/** A short text is ready at the first poll; a book takes seconds. */
const looksMs = [250, 500, 1000, 2000];
/** Long, since earlier files in the store are read first, and polling continues while the server fails. */
const longestMs = 300_000;

export async function untilRead(
  token: () => string,
  storeId: string,
  attached: StoredFile,
  signal: AbortSignal,
): Promise<StoredFile> {
  const begunMs = performance.now();
  let file = attached;
  let failures = 0;
  for (let looks = 0; file.status === "in_progress"; looks += 1) {
    if (performance.now() - begunMs > longestMs)
      return { ...file, status: "failed", why: "It takes longer than it should. Try again.", retry: true };
    const waitMs = looksMs[Math.min(looks, looksMs.length - 1)] ?? 0;
    await pause(failures === 0 ? waitMs : retryPauseMs(failures, Math.random()), signal);
    signal.throwIfAborted();
    try {
      file = await lookAtFile(token(), storeId, file.id, signal);
      failures = 0;
    } catch (error) {
      if (!(error instanceof ApiError) || !isPassing(error.failure.status)) throw error;
      failures += 1;
    }
  }
  return file;
}

/** The server continues to read it, so the poll can be repeated. */
function isPassing(status: number): boolean {
  return status === 0 || status === 429 || status >= 500;
}
