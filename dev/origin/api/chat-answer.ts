import { randomUUID } from "node:crypto";
import type { Choice, Delta } from "../engine/compose.ts";
import type { AnswerForm } from "./serve-generation.ts";
import { chatLogprobs } from "./logprobs.ts";

/** The form of a chat answer, streamed and whole: vLLM's chunks, with its order of fields. */
export type ReasoningField = "reasoning" | "reasoning_content" | "both";

export interface ChatForm {
  readonly id: string;
  readonly model: string;
  /** Undefined: not requested. */
  readonly topLogprobs: number | undefined;
  readonly reasoningField: ReasoningField;
  readonly includeReasoning: boolean;
}

export function chatAnswer(form: ChatForm): AnswerForm {
  const created = Math.floor(Date.now() / 1000);
  const model = JSON.stringify(form.model);
  const head = `data: {"id":"${form.id}","object":"chat.completion.chunk","created":${created},"model":${model},"choices":[`;
  const { topLogprobs } = form;
  const reasoning = (text: string) => reasoningJson(text, form);

  return {
    opening: (index, usage) =>
      `${head}{"index":${index},"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]${usage}}\n\n`,

    step(index, choice, step, usage) {
      const delta = choice.deltas[step];
      if (delta === undefined) return "";
      const last = step === choice.deltas.length - 1;
      const json = deltaJson(delta, reasoning);
      if (json === undefined && !last) return "";
      const logprobs =
        topLogprobs === undefined || delta.kind !== "content" || delta.token === ""
          ? "null"
          : JSON.stringify(chatLogprobs([delta], topLogprobs));
      const finish = last
        ? `"finish_reason":"${choice.finishReason}","stop_reason":${JSON.stringify(choice.stopReason)}`
        : '"finish_reason":null';
      return `${head}{"index":${index},"delta":${json ?? '{"content":""}'},"logprobs":${logprobs},${finish}}]${usage}}\n\n`;
    },

    usage: (usage) => `${head}],"usage":${usage}}\n\n`,

    whole(choices, usage) {
      const listed = choices.map((choice, index) => wholeChoice(choice, index, form));
      return (
        `{"id":"${form.id}","object":"chat.completion","created":${created},"model":${model},` +
        `"choices":[${listed.join(",")}],"service_tier":null,"system_fingerprint":null,"usage":${usage},` +
        '"prompt_logprobs":null,"kv_transfer_params":null}'
      );
    },
  };
}

function deltaJson(delta: Delta, reasoning: (text: string) => string | undefined): string | undefined {
  switch (delta.kind) {
    case "content":
      return `{"content":${JSON.stringify(delta.text)}}`;
    case "reasoning": {
      const members = reasoning(delta.text);
      return members === undefined ? undefined : `{${members}}`;
    }
    case "tool-start": {
      const name = JSON.stringify(delta.call.name);
      return `{"tool_calls":[{"id":"${callId()}","type":"function","index":${delta.index},"function":{"name":${name},"arguments":""}}]}`;
    }
    case "tool-arguments":
      return `{"tool_calls":[{"index":${delta.index},"function":{"arguments":${JSON.stringify(delta.text)}}}]}`;
    case "silent":
      return undefined;
    default:
      return delta satisfies never;
  }
}

function reasoningJson(text: string, form: ChatForm): string | undefined {
  if (!form.includeReasoning) return undefined;
  const json = JSON.stringify(text);
  if (form.reasoningField === "both") return `"reasoning":${json},"reasoning_content":${json}`;
  return `"${form.reasoningField}":${json}`;
}

function wholeChoice(choice: Choice, index: number, form: ChatForm): string {
  let content = "";
  let reasoning = "";
  const calls: { name: string; arguments: string }[] = [];
  for (const delta of choice.deltas) {
    if (delta.kind === "content") content += delta.text;
    else if (delta.kind === "reasoning") reasoning += delta.text;
    else if (delta.kind === "tool-start") calls.push({ name: delta.call.name, arguments: "" });
    else if (delta.kind === "tool-arguments") {
      const call = calls.at(-1);
      if (call !== undefined) call.arguments += delta.text;
    }
  }
  // vLLM's parser returns the text of a cut-off call as content.
  const cut = choice.finishReason === "length" && calls.length > 0;
  if (cut) content = calls.map((call) => `{"name": "${call.name}", "parameters": ${call.arguments}`).join("");
  const made = cut ? [] : calls;
  const tools = made.map(
    (call) =>
      `{"id":"${callId()}","type":"function","function":{"name":${JSON.stringify(call.name)},"arguments":${JSON.stringify(call.arguments)}}}`,
  );
  const thoughts =
    reasoning === "" ? '"reasoning":null' : (reasoningJson(reasoning, form) ?? '"reasoning":null');
  const text = made.length > 0 ? "null" : JSON.stringify(content);
  const logprobs =
    form.topLogprobs === undefined ? "null" : JSON.stringify(chatLogprobs(choice.deltas, form.topLogprobs));
  return (
    `{"index":${index},"message":{"role":"assistant","content":${text},"refusal":null,"annotations":null,"audio":null,` +
    `"function_call":null,"tool_calls":[${tools.join(",")}],${thoughts}},"logprobs":${logprobs},` +
    `"finish_reason":"${choice.finishReason}","stop_reason":${JSON.stringify(choice.stopReason)},"token_ids":null}`
  );
}

function callId(): string {
  return `chatcmpl-tool-${randomUUID().replaceAll("-", "")}`;
}
