/** What went wrong with a file, and what can the user do? Words for its chip. */
import { limitInWords, type ApiFailure } from "../advice.ts";
import { ApiError } from "../api.ts";

export interface FileProblem {
  readonly why: string;
  /** Whether another attempt may succeed. */
  readonly retry: boolean;
  /** Before that another attempt would be refused as well. */
  readonly untilMs?: number;
  /** No file at all can be attached here. */
  readonly refusesAll?: true;
}

const megabyte = 1_048_576;
/** Above this size a broken connection may mean that the server does not accept such large files. */
const largeBytes = 8 * megabyte;

/** The browser can't read it (any more). */
export class FileUnread extends Error {}

export function fileProblem(error: unknown, bytes: number, nowMs: number): FileProblem {
  if (error instanceof FileUnread)
    return {
      why: "It can't be read: it was changed, moved or deleted since, or is a folder. Attach it again; of a folder, its files.",
      retry: false,
    };
  return error instanceof ApiError
    ? problemOf(error.failure, bytes, nowMs)
    : { why: "The server's answer could not be read. Try again.", retry: true };
}

function problemOf(failure: ApiFailure, bytes: number, nowMs: number): FileProblem {
  const { status, message } = failure;
  switch (status) {
    case 0:
      return {
        why:
          bytes > largeBytes
            ? "The connection broke off. Check it, then try again. If it happens again, the file may be too large: attach a smaller one."
            : "The connection broke off. Check it, then try again.",
        retry: true,
      };
    case 401:
      return { why: "Your sign-in has ended. Sign in again, then try again.", retry: true };
    case 403:
    case 405:
      return {
        why: "Your account may not attach files here. Ask your administrator.",
        retry: false,
        refusesAll: true,
      };
    case 404:
      return failure.code === "unknown_url"
        ? { why: "Files can't be attached on this server.", retry: false, refusesAll: true }
        : { why: "It is on the server no more. Try again to send it anew.", retry: true };
    case 413:
      return { why: `Too large: ${limitIn(message)}. Attach a smaller one, or its parts.`, retry: false };
    case 429:
      return {
        why:
          failure.limit === undefined
            ? "Too much at once."
            : `${limitInWords(failure.limit)} Files count like messages.`,
        retry: true,
        untilMs: nowMs + (failure.retryAfterMs ?? 1000),
      };
    default:
      break;
  }
  if (status >= 500) return { why: "The service has trouble. Try again in a moment.", retry: true };
  // The owner's limits. This page has no list of files to delete from: they are deleted with their chats.
  if (isFull(failure))
    return {
      why: "There is no room for more of your files. Delete chats whose files you need no more, then try again.",
      retry: true,
    };
  return { why: saidInWords(message), retry: false };
}

function limitIn(message: string): string {
  const bytes = Number(/(\d+) bytes/.exec(message)?.[1] ?? Number.NaN);
  return Number.isFinite(bytes) ? `a file may have ${sizeInWords(bytes)}` : "it is over the limit";
}

/** Whether the owner's limits are reached. */
export function isFull({ status, message }: ApiFailure): boolean {
  return status === 400 && message.includes("the most that this tenant allows");
}

/** The server's message about a file, with readable sizes. */
export function saidInWords(message: string): string {
  return message.replaceAll(/\b(\d{4,}) bytes\b/g, (_, bytes: string) => sizeInWords(Number(bytes)));
}

function sizeInWords(bytes: number): string {
  if (bytes >= megabyte) return `${Number((bytes / megabyte).toFixed(1))} MB`;
  return bytes >= 1024 ? `${Math.round(bytes / 1024)} KB` : `${bytes} bytes`;
}
