/** Sends a file's bytes and reports progress, which `fetch` can't; hence an XMLHttpRequest. */
import { ApiError, failureIn, isRecord, textOf } from "../api.ts";
import { FileUnread } from "./file-problem.ts";
import { keptDays } from "./files-api.ts";

/** Without a sent byte or an answer for this long, the connection counts as lost. */
const silentMs = 60_000;

/**
 * Resolves with the file's id, even if `signal` was too late to keep the file from the server. Throws an ApiError (status 0: the connection
 * was lost), a FileUnread, or the signal's reason if it was in time.
 * @param onProgress percentage of the bytes sent
 */
export async function uploadFile(
  token: string,
  file: File,
  onProgress: (percent: number) => void,
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted();
  const form = new FormData();
  form.set("purpose", "user_data");
  form.set("expires_after[anchor]", "created_at");
  form.set("expires_after[seconds]", String(keptDays * 86_400));
  form.set("file", file, file.name);
  let response: Response;
  try {
    response = await sent(token, form, onProgress, signal);
  } catch (error) {
    // The browser reports an unreadable file in the same way as a lost connection.
    if (error instanceof ApiError && !(await isReadable(file))) throw new FileUnread();
    throw error;
  }
  if (!response.ok) throw new ApiError(await failureIn(response));
  const body: unknown = await response.json().catch(() => null);
  const id = isRecord(body) ? textOf(body["id"]) : "";
  if (id === "") throw lost();
  return id;
}

async function isReadable(file: File): Promise<boolean> {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

async function sent(
  token: string,
  form: FormData,
  onProgress: (percent: number) => void,
  signal: AbortSignal,
): Promise<Response> {
  const request = new XMLHttpRequest();
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  let timer = setTimeout(() => request.abort(), silentMs);
  const goesOn = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => request.abort(), silentMs);
  };
  let allSent = false;
  const stop = (): void => {
    // The server has it, or will soon: only its answer gives the id for deleting it.
    if (!allSent) request.abort();
  };
  request.upload.addEventListener("progress", ({ loaded, total, lengthComputable }) => {
    goesOn();
    if (lengthComputable && total > 0) onProgress(Math.floor((100 * loaded) / total));
  });
  request.upload.addEventListener("load", () => {
    allSent = true;
    goesOn();
  });
  request.addEventListener("load", () =>
    resolve(
      new Response(request.responseText, {
        status: request.status,
        headers: limitHeaders(request),
      }),
    ),
  );
  request.addEventListener("error", () => reject(lost()));
  // Only this code aborts: the file was removed, or the connection was silent for too long.
  request.addEventListener("abort", () => reject(signal.aborted ? (signal.reason as Error) : lost()));
  signal.addEventListener("abort", stop);
  try {
    request.open("POST", "/v1/files");
    request.setRequestHeader("authorization", `Bearer ${token}`);
    request.send(form);
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

/** What `failureIn` reads of a refusal. */
function limitHeaders(request: XMLHttpRequest): Record<string, string> {
  const names = ["requests", "tokens"].flatMap((unit) => [
    `x-ratelimit-window-${unit}`,
    `x-ratelimit-limit-${unit}`,
  ]);
  return Object.fromEntries(
    ["retry-after", "retry-after-ms", ...names].flatMap((name) => {
      const value = request.getResponseHeader(name);
      return value === null ? [] : [[name, value] as const];
    }),
  );
}

function lost(): ApiError {
  return new ApiError({
    status: 0,
    code: null,
    message: "The server could not be reached.",
    retryAfterMs: null,
  });
}
