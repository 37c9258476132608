/** What should a person do about an error? One table from the API's status and code to words. */
import type { Notice } from "./chat-state.ts";

export interface ApiFailure {
  /** 0: there was no answer. */
  readonly status: number;
  readonly code: string | null;
  readonly message: string;
  readonly retryAfterMs: number | null;
  /** The limit that refused it, from its headers: "user/requests_per_hour", and its size. */
  readonly limit?: { readonly window: string; readonly amount: number };
  /** The field of the request that was refused. */
  readonly param?: string;
}

/** The server did not answer. */
export const unreachable: ApiFailure = {
  status: 0,
  code: null,
  message: "The server could not be reached.",
  retryAfterMs: null,
};

/** Whether a turn was refused because its files' vector store no longer exists: deleted, or expired. */
export function areFilesGone({ status, param, message }: ApiFailure): boolean {
  if (status === 404) return param?.startsWith("retrieval.vector_store_ids") === true;
  return status === 409 && message.startsWith("This vector store has expired");
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
      advice: "Your sign-in has ended or was not accepted. What you typed and attached is kept.",
      retry: false,
      signsIn: true,
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
      advice: `${failure.limit === undefined ? failure.message : limitInWords(failure.limit)} Your message is kept.`,
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
  if (areFilesGone(failure)) {
    return {
      kind: "error",
      title: "The files of this chat are gone",
      advice: "They have expired or were deleted. Attach them again, or try again to ask without them.",
      retry: true,
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

/** For an answer that broke off while it was read. Its text so far stays on screen; "Try again" would have nothing to send. */
export function brokenOff(failure: ApiFailure): Notice {
  if (failure.status === 0) return connectionLost;
  return {
    kind: "error",
    title: "The answer broke off",
    advice: "What had come is kept. Regenerate asks for it again.",
    retry: false,
    dismissible: true,
  };
}

/** The turn continues on the server; only the connection was lost. */
export const connectionLost: Notice = {
  kind: "offline",
  title: "The answer broke off",
  advice:
    "The connection was lost. The answer goes on being written, and appears here when the connection is back.",
  retry: false,
  dismissible: true,
};

/** Given up after a stop that could not be sent, because the turn's id was not known yet. */
export const notAnswered: Notice = {
  kind: "offline",
  title: "No answer came",
  advice:
    "Nobody knows whether your message has arrived. It is kept: sent again, it is the same message, and is answered and paid once.",
  retry: true,
  dismissible: true,
};

/** For a chat, or a part of it, that could not be loaded. No message was involved, so there is nothing to send again. */
export function notLoaded(failure: ApiFailure, nowMs: number): Notice {
  if (failure.status === 401) return adviceFor(failure, nowMs);
  const lost = failure.status === 0;
  return {
    kind: lost ? "offline" : "error",
    title: "This chat could not be loaded",
    advice: lost
      ? "The server could not be reached. The chat is shown when the connection is back."
      : "The service has trouble, which is not your fault. Open the chat again in a moment.",
    retry: false,
    dismissible: true,
  };
}

const units: Readonly<Record<string, string>> = { requests: "messages", tokens: "tokens" };
const periods: Readonly<Record<string, string>> = {
  minute: "a minute",
  hour: "an hour",
  day: "a day",
  month: "a month",
};

/** Words for a limit's name, such as "user/requests_per_hour"; a name of another form is shown unchanged. */
export function limitInWords({
  window,
  amount,
}: {
  readonly window: string;
  readonly amount: number;
}): string {
  const [, whose, unit = "", name = ""] = /^(user|org)\/(requests|tokens)_per_(\w+)$/.exec(window) ?? [];
  const period = periods[name];
  if (period === undefined) return `The limit ${window} is reached.`;
  const who = whose === "org" ? "Everyone in your organisation together" : "Your plan";
  return `${who} has ${amount.toLocaleString("en")} ${units[unit]} ${period}.`;
}
