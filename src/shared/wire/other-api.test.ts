/** If a client uses a name from another of OpenAI's APIs, the error gives the right name here; for a typo, the nearest name. */
import { expect, test } from "vitest";
import { parseChatRequest } from "./chat-request.ts";
import { parseCompletionRequest } from "./completions-request.ts";
import { toWireError } from "./errors.ts";
import { parseResponseRequest } from "./responses-request.ts";

const apis = {
  chat: { parse: parseChatRequest, least: { model: "auto", messages: [{ role: "user", content: "Hi" }] } },
  responses: { parse: parseResponseRequest, least: { model: "auto", input: "Hi" } },
  completions: { parse: parseCompletionRequest, least: { model: "auto", prompt: "Hi" } },
};

function said(part: object) {
  return { role: "user", content: [part] };
}

test.each<[keyof typeof apis, object, string, string]>([
  ["chat", { input: "Hi" }, "input", "belongs to /v1/responses: send messages."],
  ["chat", { instructions: "Be brief." }, "instructions", "send a message of the role 'system'."],
  ["chat", { max_output_tokens: 5 }, "max_output_tokens", "send max_completion_tokens."],
  ["chat", { reasoning: { effort: "low" } }, "reasoning", "send reasoning_effort."],
  ["chat", { system: "Be brief." }, "system", "send a message of the role 'system'."],
  ["chat", { stop_sequences: ["\n"] }, "stop_sequences", "send stop."],
  ["completions", { system: "Be brief." }, "system", "put it in front of prompt."],
  ["completions", { stop_sequences: ["\n"] }, "stop_sequences", "send stop."],
  ["chat", { prompt: "Hi" }, "prompt", "belongs to /v1/completions: send messages."],
  [
    "chat",
    { messages: [said({ type: "input_text", text: "Hi" })] },
    "messages[0].content[0].type",
    "must be 'text' here: 'input_text' is what another API calls it.",
  ],
  [
    "chat",
    { messages: [said({ type: "input_file", file_id: "file-1" })] },
    "messages[0].content[0].type",
    "must be 'file' here",
  ],
  ["chat", { tools: [{ type: "function", name: "f" }] }, "tools[0].name", "stand in 'function' here."],
  ["chat", { tools: [{ type: "file_search" }] }, "tools[0].type", "name the vector stores in 'retrieval'."],
  ["responses", { messages: [] }, "messages", "belongs to /v1/chat/completions: send input."],
  [
    "responses",
    { input: [said({ type: "text", text: "Hi" })] },
    "input[0].content[0].type",
    "must be 'input_text' here: 'text' is what another API calls it.",
  ],
  [
    "responses",
    { input: [said({ type: "image_url", image_url: { url: "data:," } })] },
    "input[0].content[0].type",
    "must be 'input_image' here",
  ],
  [
    "responses",
    { input: [{ role: "assistant", content: [{ type: "text", text: "Hi" }] }] },
    "input[0].content[0].type",
    "must be 'output_text' here",
  ],
  [
    "responses",
    { tools: [{ type: "function", function: { name: "f" } }] },
    "tools[0].function",
    "stand beside 'type' here.",
  ],
  [
    "responses",
    { text: { format: { type: "json_schema", json_schema: { name: "n", schema: {} } } } },
    "text.format.json_schema",
    "stand beside 'type' here.",
  ],
  ["completions", { messages: [] }, "messages", "belongs to /v1/chat/completions: send prompt."],
  ["completions", { input: "Hi" }, "input", "belongs to /v1/responses: send prompt."],
  ["chat", { temprature: 1 }, "temprature", "Did you mean 'temperature'?"],
  ["responses", { maxOutputTokens: 5 }, "maxOutputTokens", "Did you mean 'max_output_tokens'?"],
  ["completions", { max_token: 5 }, "max_token", "Did you mean 'max_tokens'?"],
  ["chat", { colour: 1 }, "colour", "Unknown parameter: 'colour'. Check its spelling, or leave it out."],
  [
    "chat",
    { logit_bias: { a: 1 } },
    "logit_bias.a",
    "'logit_bias.a' is not allowed: a key must be a token id.",
  ],
])("%s, %j", (api, fields, param, message) => {
  const { parse, least } = apis[api];
  const read = parse(JSON.stringify({ ...least, ...fields }));
  if (read.ok) throw new Error("it is taken");
  const { status, body } = toWireError(read.error);
  expect({ status, param: body.error.param }).toEqual({ status: 400, param });
  expect(body.error.message).toContain(message);
});
