/** Requests as clients send them, composed for one model by either of its interfaces. */
import type { ModelRecord } from "../routing/fleet/fleet-config.ts";
import { modelRecord } from "../routing/fleet/model-record-fixture.ts";
import { parseChatRequest } from "../wire/chat-request.ts";
import { type ComposeInput, composePrompt } from "./compose.ts";

export const chatModel = modelRecord({
  id: "llama-3.1-8b",
  served_name: "meta-llama/Llama-3.1-8B-Instruct",
  context_window: 8_192,
  template: "llama-3.1",
});
export const completionsModel: ModelRecord = { ...chatModel, api: "completions" };

/** A request as clients send it, through the public parser. */
export function input(request: object, more: Partial<ComposeInput> = {}): ComposeInput {
  const parsed = parseChatRequest(JSON.stringify({ model: "auto", ...request }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return {
    request: parsed.value,
    history: [],
    defaultSystemPrompt: null,
    model: chatModel,
    estimateRatio: 1,
    stream: true,
    cacheSalt: null,
    affinitySeed: null,
    spotlight: null,
    passages: null,
    ...more,
  };
}

export function composed(value: ComposeInput): { path: string; body: Record<string, unknown> } {
  const result = composePrompt(value);
  if (!result.ok) throw new Error(result.error.kind);
  return { path: result.value.path, body: JSON.parse(result.value.body) as Record<string, unknown> };
}
