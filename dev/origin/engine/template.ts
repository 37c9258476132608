import { err, ok, type Result } from "../../../src/shared/contracts/result.ts";
import { isGuard } from "../model/guard.ts";
import type { ServedModel } from "../catalog.ts";

/**
 * Which text does the model get for a chat? Llama 3.1's published template (and ChatML for Qwen). This code shares nothing
 * with the edge's renderer, so that the same fault can't hide in both. Contents are trimmed where the template trims them,
 * and it refuses what the template refuses.
 */
export interface TemplateMessage {
  readonly role: string;
  readonly content: string;
  readonly toolCalls: readonly TemplateCall[];
}

export interface TemplateCall {
  readonly name: string;
  readonly arguments: unknown;
}

export interface TemplateInput {
  readonly messages: readonly TemplateMessage[];
  /** As the client sent them; undefined: none. */
  readonly tools: readonly unknown[] | undefined;
  readonly addGenerationPrompt: boolean;
  readonly continueFinalMessage: boolean;
}

/** The prompt, or the text of the template's own exception (vLLM answers it with 400). */
export function renderChat(model: ServedModel, input: TemplateInput): Result<string, string> {
  // Llama Guard's template refuses anything but a conversation of two.
  if (
    isGuard(model.name) &&
    input.messages.some(({ role }, at) => role !== (at % 2 === 0 ? "user" : "assistant"))
  )
    return err("Conversation roles must alternate user/assistant/user/assistant/...");
  const rendered = model.family === "llama" ? renderLlama(model, input) : renderChatml(input);
  if (!rendered.ok || !input.continueFinalMessage) return rendered;
  const last = input.messages.at(-1)?.content ?? "";
  const at = rendered.value.lastIndexOf(last.trim());
  if (at === -1)
    return err(
      "continue_final_message is set but the final message does not appear in the chat after applying the chat " +
        "template! This can happen if the chat template deletes portions of the final message.",
    );
  // Cut like transformers: with trailing blanks if the template kept them, without if it trimmed them.
  const kept = last.trimStart();
  const end = rendered.value.startsWith(kept, at) ? at + kept.length : at + last.trim().length;
  return ok(rendered.value.slice(0, end));
}

function renderLlama(model: ServedModel, input: TemplateInput): Result<string, string> {
  const messages = [...input.messages];
  const header = (role: string) => `<|start_header_id|>${role}<|end_header_id|>\n\n`;
  const system = messages[0]?.role === "system" ? (messages.shift()?.content ?? "").trim() : "";
  let text = `<|begin_of_text|>${header("system")}`;
  if (input.tools !== undefined) text += "Environment: ipython\n";
  text += `Cutting Knowledge Date: December 2023\nToday Date: ${model.templateDate}\n\n${system}<|eot_id|>`;
  if (input.tools !== undefined) {
    const first = messages.shift();
    if (first === undefined)
      return err("Cannot put tools in the first user message when there's no first user message!");
    text +=
      `${header("user")}Given the following functions, please respond with a JSON for a function call ` +
      "with its proper arguments that best answers the given prompt.\n\n" +
      'Respond in the format {"name": function name, "parameters": dictionary of argument name and its value}.' +
      "Do not use variables.\n\n";
    for (const tool of input.tools) text += `${JSON.stringify(tool, null, 4)}\n\n`;
    text += `${first.content.trim()}<|eot_id|>`;
  }
  for (const message of messages) {
    const call = message.toolCalls[0];
    if (call !== undefined) {
      if (message.toolCalls.length !== 1) return err("This model only supports single tool-calls at once!");
      text += `${header("assistant")}{"name": "${call.name}", "parameters": ${pythonJson(call.arguments)}}<|eot_id|>`;
    } else if (message.role === "tool" || message.role === "ipython") {
      // A string is iterable in Jinja, so the template quotes it.
      text += `${header("ipython")}${JSON.stringify(message.content)}<|eot_id|>`;
    } else text += `${header(message.role)}${message.content.trim()}<|eot_id|>`;
  }
  return ok(input.addGenerationPrompt ? text + header("assistant") : text);
}

function renderChatml(input: TemplateInput): Result<string, string> {
  let text = "";
  const messages = [...input.messages];
  if (input.tools !== undefined) {
    const system = messages[0]?.role === "system" ? `${messages.shift()?.content ?? ""}\n\n` : "";
    text +=
      `<|im_start|>system\n${system}# Tools\n\nYou may call one or more functions to assist with the user query.\n\n` +
      "You are provided with function signatures within <tools></tools> XML tags:\n<tools>\n" +
      `${input.tools.map((tool) => pythonJson(tool)).join("\n")}\n</tools><|im_end|>\n`;
  }
  for (const message of messages) {
    const calls = message.toolCalls.map(
      (call) =>
        `<tool_call>\n{"name": "${call.name}", "arguments": ${pythonJson(call.arguments)}}\n</tool_call>`,
    );
    const body =
      message.role === "tool"
        ? `<tool_response>\n${message.content}\n</tool_response>`
        : [message.content, ...calls].filter((part) => part !== "").join("\n");
    text += `<|im_start|>${message.role === "tool" ? "user" : message.role}\n${body}<|im_end|>\n`;
  }
  return ok(input.addGenerationPrompt ? `${text}<|im_start|>assistant\n` : text);
}

/** JSON as Python's `json.dumps` writes it on one line: a blank after each comma and colon. */
function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => pythonJson(item)).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${pythonJson(item)}`);
    return `{${members.join(", ")}}`;
  }
  return JSON.stringify(value) ?? "null";
}
