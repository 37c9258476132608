import { existsSync, readFileSync } from "node:fs";
import { Template } from "@huggingface/jinja";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { flattenContent } from "../../src/shared/prompt/chat-message.ts";
import { renderLlama31 } from "../../src/shared/prompt/llama-3-1-template.ts";

/**
 * Our renderer against Llama 3.1's published template, rendered by a Jinja engine over generated chats. The template is
 * data that this repository doesn't hold: the test runs where the folder is, and llama-3-1-template.test.ts everywhere.
 */
const dataFolder = process.env["EDGEWISE_DATA"] ?? "../shared/data";
const file = `${dataFolder}/prompt/llama3_chat_templates.jsonl`;

interface Published {
  readonly id: string;
  readonly chat_template: string;
  readonly data: Record<string, unknown>;
  readonly target: string;
}

/** Blanks on which Python and JavaScript disagree are left to the renderer's own test. */
const text = fc
  .oneof(
    fc.string({ unit: "grapheme", maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(" ", "\n", "\t", "a", "é", "字", "\u00a0", "\u3000"), maxLength: 12 }),
  )
  .filter((value) => !/[\u001c-\u001f\u0085\ufeff]/.test(value));
const message = fc.record({
  role: fc.constantFrom("system", "user", "assistant"),
  content: fc.oneof(
    text,
    fc.array(fc.record({ type: fc.constant("text" as const), text }), { minLength: 1, maxLength: 3 }),
  ),
});

describe.skipIf(!existsSync(file))("Llama 3.1's published template", () => {
  const published = existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Published)
        .find(({ id }) => id === "meta-llama/Llama-3.1-8B-Instruct")
    : undefined;
  if (published === undefined) return;
  const template = new Template(published.chat_template);

  test("the Jinja engine that we compare with gives the published output for the published input", () => {
    expect(template.render(published.data)).toBe(published.target);
  });

  test("any chat without tools renders the same, with and without an answer's header", () => {
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 8 }),
        fc.constantFrom("26 Jul 2024", "01 Jan 2026"),
        fc.boolean(),
        (messages, date, answer) => {
          const expected = template.render({
            messages: messages.map(({ role, content }) => ({ role, content: flattenContent(content) })),
            bos_token: "<|begin_of_text|>",
            date_string: date,
            add_generation_prompt: answer,
          });
          // The published template closes the last message; going on in it means taking that token away again.
          const ours = renderLlama31(messages, { date, ending: answer ? "answer" : "continue" });
          expect(answer ? ours : `${ours}<|eot_id|>`).toBe(expected);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
