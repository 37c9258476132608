/**
 * What does the page show, given what happened? A pure reducer: the network and the clock stay in use-chat.ts.
 * One turn at a time; a user's message appears at once and is rolled back into the draft when the turn fails.
 */

export interface ChatMessage {
  readonly id: string;
  readonly role: "user" | "assistant";
  readonly text: string;
  /** The model's reasoning, where it shows one. */
  readonly reasoning: string;
  readonly status: "done" | "waiting" | "streaming" | "stopped" | "filtered" | "cut";
  /** What a user's message comes behind: to ask it anew. Absent: not known (yet). */
  readonly behind?: string;
  /** Branches that part here, and which of them is shown. */
  readonly versions?: { readonly branches: readonly string[]; readonly at: number };
}

export interface Notice {
  readonly kind: "error" | "limit" | "offline";
  readonly title: string;
  readonly advice: string;
  /** Whether sending the same text again can help. */
  readonly retry: boolean;
  /** For `offline`, which else stays until the connection is back. */
  readonly dismissible?: boolean;
  /** For `limit`: when it is worth trying again, in milliseconds since 1970. */
  readonly untilMs?: number;
}

export interface ChatState {
  readonly messages: readonly ChatMessage[];
  readonly phase: "restoring" | "idle" | "waiting" | "streaming" | "stopping";
  readonly draft: string;
  readonly notice: Notice | null;
  /** Whether there is more before the first message. */
  readonly hasEarlier: boolean;
}

export type ChatEvent =
  | { readonly type: "draft-changed"; readonly text: string }
  | { readonly type: "restore-started" }
  | {
      readonly type: "restored";
      readonly messages: readonly ChatMessage[];
      readonly hasEarlier: boolean;
    }
  /** As they are kept now, once a turn is saved. What is being written stays. */
  | {
      readonly type: "refreshed";
      readonly messages: readonly ChatMessage[];
      readonly hasEarlier: boolean;
    }
  | {
      readonly type: "sent";
      readonly userId: string;
      readonly answerId: string;
      readonly text: string;
      /** The message that it is a new version of: it goes, and all behind it. */
      readonly insteadOf?: string;
    }
  | { readonly type: "delta"; readonly answerId: string; readonly text: string; readonly reasoning: string }
  | { readonly type: "stop-asked" }
  | {
      readonly type: "ended";
      readonly answerId: string;
      readonly status: "done" | "stopped" | "filtered" | "cut";
    }
  | { readonly type: "failed"; readonly userId: string; readonly answerId: string; readonly notice: Notice }
  | { readonly type: "noticed"; readonly notice: Notice | null }
  | { readonly type: "cleared" };

export const emptyChat: ChatState = {
  messages: [],
  phase: "idle",
  draft: "",
  notice: null,
  hasEarlier: false,
};

export type Dispatch = (event: ChatEvent) => void;

export function reduceChat(state: ChatState, event: ChatEvent): ChatState {
  switch (event.type) {
    case "draft-changed":
      return { ...state, draft: event.text };
    case "restore-started":
      return { ...state, phase: "restoring" };
    case "restored":
      return { ...state, phase: "idle", messages: event.messages, hasEarlier: event.hasEarlier };
    case "refreshed":
      return state.phase === "idle"
        ? {
            ...state,
            messages: keepEndings(event.messages, state.messages),
            hasEarlier: event.hasEarlier,
            // What was read just now shows that the connection is back.
            notice: state.notice?.kind === "offline" ? null : state.notice,
          }
        : state;
    case "sent":
      return {
        ...state,
        phase: "waiting",
        draft: event.insteadOf === undefined ? "" : state.draft,
        notice: null,
        messages: [
          ...upTo(state.messages, event.insteadOf),
          { id: event.userId, role: "user", text: event.text, reasoning: "", status: "done" },
          { id: event.answerId, role: "assistant", text: "", reasoning: "", status: "waiting" },
        ],
      };
    case "delta":
      return {
        ...state,
        phase: state.phase === "stopping" ? "stopping" : "streaming",
        messages: change(state.messages, event.answerId, (message) => ({
          ...message,
          status: "streaming",
          text: message.text + event.text,
          reasoning: message.reasoning + event.reasoning,
        })),
      };
    case "stop-asked":
      return state.phase === "waiting" || state.phase === "streaming"
        ? { ...state, phase: "stopping" }
        : state;
    case "ended":
      return {
        ...state,
        phase: "idle",
        messages: change(state.messages, event.answerId, (message) => ({
          ...message,
          status: event.status,
        })).filter(
          (message) =>
            message.id !== event.answerId ||
            message.text !== "" ||
            message.reasoning !== "" ||
            event.status !== "stopped",
        ),
      };
    case "failed": {
      const failed = state.messages.find((message) => message.id === event.userId);
      return {
        ...state,
        phase: "idle",
        notice: event.notice,
        // What the user has typed since is worth more than what was rolled back.
        draft: state.draft === "" ? (failed?.text ?? "") : state.draft,
        messages: state.messages.filter(
          (message) => message.id !== event.userId && message.id !== event.answerId,
        ),
      };
    }
    case "noticed":
      return { ...state, notice: event.notice };
    case "cleared":
      return { ...emptyChat, draft: state.draft };
  }
}

/** What the server keeps says only that an answer is incomplete, not how it ended here; where it is the same answer, that stays to be seen. */
function keepEndings(
  messages: readonly ChatMessage[],
  before: readonly ChatMessage[],
): readonly ChatMessage[] {
  const last = before.at(-1);
  return messages.map((message, at) =>
    at === messages.length - 1 && last?.role === message.role && last.text === message.text
      ? {
          ...message,
          status: last.status === "done" ? message.status : last.status,
          reasoning: last.reasoning,
        }
      : message,
  );
}

function upTo(messages: readonly ChatMessage[], id: string | undefined): readonly ChatMessage[] {
  const at = id === undefined ? -1 : messages.findIndex((message) => message.id === id);
  return at === -1 ? messages : messages.slice(0, at);
}

function change(
  messages: readonly ChatMessage[],
  id: string,
  how: (message: ChatMessage) => ChatMessage,
): readonly ChatMessage[] {
  return messages.map((message) => (message.id === id ? how(message) : message));
}
