/** What should a person do about an error? One table from the API's status and code to words. */
import type { Notice } from "./chat-state.ts";

export interface ApiFailure {
  /** 0: no answer came at all. */
  readonly status: number;
  readonly code: string | null;
  readonly message: string;
  readonly retryAfterMs: number | null;
}

export function adviceFor(failure: ApiFailure, nowMs: number): Notice {
  const { status, code } = failure;
  if (status === 0) {
    return {
      kind: "offline",
      title: "No connection",
      advice: "The server could not be reached. Check your connection, then try again. Your message is kept.",
      retry: true,
    };
  }
  if (status === 401) {
    return {
      kind: "error",
      title: "Please sign in again",
      advice: "Your sign-in has ended or was not accepted. Sign out, then sign in with a fresh token.",
      retry: false,
    };
  }
  if (status === 403) {
    return {
      kind: "error",
      title: "Not allowed",
      advice: "Your account may not do this. Ask your administrator for access.",
      retry: false,
    };
  }
  if (status === 429) {
    const wait = failure.retryAfterMs ?? 1000;
    return {
      kind: "limit",
      title: code === "insufficient_quota" ? "Your allowance is used up" : "You have reached a limit",
      advice: failure.message,
      retry: true,
      untilMs: nowMs + wait,
    };
  }
  if (code === "content_policy_violation") {
    return {
      kind: "error",
      title: "Blocked by the content policy",
      advice: "Change the message and send it again.",
      retry: false,
    };
  }
  if (code === "context_length_exceeded") {
    return {
      kind: "error",
      title: "Too long for this model",
      advice: "Shorten the message, or start a new chat.",
      retry: false,
    };
  }
  if (status === 404) {
    return {
      kind: "error",
      title: "Not found",
      advice: "This chat or model is gone. Start a new chat.",
      retry: false,
    };
  }
  if (status === 413) {
    return {
      kind: "error",
      title: "The message is too large",
      advice: "Shorten it, or send it in parts.",
      retry: false,
    };
  }
  if (status >= 500) {
    return {
      kind: "error",
      title: "The service has trouble",
      advice: "This is not your fault. Try again in a moment; your message is kept.",
      retry: true,
    };
  }
  return { kind: "error", title: "That did not work", advice: failure.message, retry: false };
}
