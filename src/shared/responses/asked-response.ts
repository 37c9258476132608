/** A request for a response as the stages of a turn read it: the chat that it means, and how `truncation` treats the window. */
import { pairCalls } from "../prompt/answered-calls.ts";
import type { ChatMessage } from "../prompt/chat-message.ts";
import { composePrompt } from "../prompt/compose.ts";
import { withSummary } from "../prompt/prepare-messages.ts";
import { askedChat } from "../turn/asked-chat.ts";
import type { Asked } from "../turn/asked.ts";
import type { ChatRequest } from "../wire/chat-request.ts";
import type { ResponseTurn } from "./stored-response.ts";

export function askedResponse(
  chat: ChatRequest,
  { truncates, ancestors, before = [] }: Pick<ResponseTurn, "truncates" | "ancestors" | "before">,
): Asked {
  // A conversation keeps no instructions: what leads its history is our own summary.
  const remembersInstructions = ancestors.length + before.length > 0;
  return {
    ...askedChat(chat),
    format: "none",
    cacheable: null,
    compose: (inputs) => {
      const { defaultSystemPrompt } = inputs;
      const isInstructed =
        hasInstructions(chat.messages) || (remembersInstructions && hasInstructions(inputs.history));
      // Not left to compose, which can't tell whose the instructions in a history are, nor what of it was sent now.
      const asked =
        isInstructed || defaultSystemPrompt === null
          ? chat.messages
          : [{ role: "system" as const, content: defaultSystemPrompt }, ...chat.messages];
      const instructions = leadingInstructions(asked);
      const paired = pairCalls(inputs.history, asked.slice(instructions), instructions);
      if (!paired.ok) return paired;
      const { history, messages } = arranged(asked, paired.value, truncates);
      return composePrompt({
        ...inputs,
        defaultSystemPrompt: null,
        request: { ...chat, messages },
        history,
      });
    },
  };
}

function hasInstructions(messages: readonly ChatMessage[]): boolean {
  return messages.some((message) => message.role === "system");
}

/**
 * The window is kept by leaving out of the history, and nothing else: so the history is all that may go, or none of it.
 * Instructions stay in front either way.
 */
function arranged(
  messages: ChatRequest["messages"],
  history: readonly ChatMessage[],
  truncates: boolean,
): { readonly history: readonly ChatMessage[]; readonly messages: ChatRequest["messages"] } {
  const latest = messages.findLastIndex((message) => message.role === "user");
  const leading = leadingInstructions(messages);
  if (!truncates) {
    // The recalled history consists of chat messages, with whatever compose needs to know of them.
    const recalled = withSummary(messages.slice(0, leading), history) as ChatRequest["messages"];
    return { history: [], messages: [...recalled, ...messages.slice(leading)] };
  }
  // A call's result may lead: then it belongs to the history's last turn, and nothing of it may be parted.
  if (latest <= leading) return { history, messages };
  return {
    history: [...history, ...messages.slice(leading, latest)],
    messages: [...messages.slice(0, leading), ...messages.slice(latest)],
  };
}

/** How many messages there are before the first that is no instruction. */
function leadingInstructions(messages: ChatRequest["messages"]): number {
  const first = messages.findIndex((message) => message.role !== "system");
  return first === -1 ? messages.length : first;
}
