import { expect, test } from "vitest";
import type { ChatMessage } from "../prompt/chat-message.ts";
import { modelRecord } from "../routing/fleet/model-record-fixture.ts";
import { takenResponse } from "../wire/responses-request-fixture.ts";
import { askedResponse } from "./asked-response.ts";
import { chatOf } from "./to-chat.ts";

const model = modelRecord({ id: "m", served_name: "m", context_window: 8_192 });

/** What the engine is told first, as instructions, before anybody speaks. */
function instructions(
  input: unknown,
  history: readonly ChatMessage[],
  turn: { readonly truncates: boolean; readonly ancestors: readonly string[] },
): unknown[] {
  const composed = askedResponse(chatOf(takenResponse({ model: "m", input })), turn).compose({
    history,
    defaultSystemPrompt: "Be kind.",
    model,
    estimateRatio: 1,
    stream: true,
    cacheSalt: null,
    affinitySeed: null,
    spotlight: null,
    passages: null,
  });
  if (!composed.ok) throw new Error(composed.error.kind);
  const { messages } = JSON.parse(composed.value.body) as {
    messages: { role: string; content: string }[];
  };
  return messages.filter(({ role }) => role === "system").map(({ content }) => content);
}

const pirate: readonly ChatMessage[] = [
  { role: "system", content: "Be a pirate." },
  { role: "user", content: "Hi" },
  { role: "assistant", content: "Arr" },
];

test.each([true, false])(
  "the tenant's own prompt is for who has no instructions, sent now or before (truncates: %s)",
  (truncates) => {
    const chain = { truncates, ancestors: ["resp_1"] };
    expect(instructions("And?", pirate, chain)).toEqual(["Be a pirate."]);
    expect(instructions("And?", pirate.slice(1), chain)).toEqual(["Be kind."]);
    const late = [
      { role: "user", content: "one" },
      { role: "assistant", content: "1" },
      { role: "developer", content: "In French." },
      { role: "user", content: "two" },
    ];
    expect(instructions(late, [], { truncates, ancestors: [] })).toEqual(["In French."]);
  },
);

test.each([true, false])(
  "a conversation's summary is no instruction of anybody's: the tenant's own prompt stands before it, in one message (truncates: %s)",
  (truncates) => {
    const summarised = [{ role: "system", content: "Said before: …" }, ...pirate.slice(1)];
    expect(instructions("And?", summarised, { truncates, ancestors: [] })).toEqual([
      "Be kind.\n\nSaid before: …",
    ]);
  },
);
