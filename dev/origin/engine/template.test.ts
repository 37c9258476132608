import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { renderChat, type TemplateInput } from "./template.ts";
import type { ServedModel } from "../catalog.ts";

const model: ServedModel = {
  name: "llama",
  family: "llama",
  contextWindow: 8192,
  capabilities: new Set(["chat"]),
  templateDate: "26 Jul 2024",
};
const message = (role: string, content: string) => ({ role, content, toolCalls: [] });
const plain = { tools: undefined, addGenerationPrompt: true, continueFinalMessage: false };

describe("Llama 3.1's template", () => {
  test("renders the mission's example byte for byte", () => {
    const messages = [
      message("system", " You are a helpful assistant.\n"),
      message("user", "Explain quantum computing  "),
    ];
    expect(renderChat(model, { ...plain, messages })).toEqual({
      ok: true,
      value:
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n" +
        "Today Date: 26 Jul 2024\n\nYou are a helpful assistant.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n" +
        "Explain quantum computing<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    });
  });

  test("refuses two calls in one turn, and tools without a message", () => {
    const call = { name: "a", arguments: {} };
    const two = [message("user", "x"), { role: "assistant", content: "", toolCalls: [call, call] }];
    expect(renderChat(model, { ...plain, messages: two }).ok).toBe(false);
    expect(renderChat(model, { ...plain, messages: [message("system", "x")], tools: [{}] }).ok).toBe(false);
  });

  test("cuts a continued message at its trimmed end", () => {
    const messages = [message("user", "x"), message("assistant", "And so ")];
    const rendered = renderChat(model, {
      ...plain,
      addGenerationPrompt: false,
      continueFinalMessage: true,
      messages,
    });
    expect(rendered.ok && rendered.value.endsWith("\n\nAnd so")).toBe(true);
  });

  /** Published inputs and outputs in a folder beside the checkout; they are not part of the project. */
  const published = process.env["EDGEWISE_DATA"] ?? "../shared/data";
  const file = `${published}/prompt/llama3_chat_templates.jsonl`;
  test.skipIf(!existsSync(file))("gives what the published template gives", () => {
    const rows = readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as PublishedRow)
      .filter((row) => row.id === "meta-llama/Llama-3.1-8B-Instruct");
    expect(rows.length).toBeGreaterThan(0);
    for (const { data, target } of rows) {
      const messages = data.messages.map(({ role, content }) => message(role, content));
      const input: TemplateInput = {
        ...plain,
        messages,
        tools: data.tools,
        addGenerationPrompt: data.add_generation_prompt,
      };
      expect(renderChat(model, input)).toEqual({ ok: true, value: target });
    }
  });
});

interface PublishedRow {
  readonly id: string;
  readonly target: string;
  readonly data: {
    readonly messages: readonly { readonly role: string; readonly content: string }[];
    readonly tools?: readonly unknown[];
    readonly add_generation_prompt: boolean;
  };
}
