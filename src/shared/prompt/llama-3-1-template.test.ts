import { expect, test } from "vitest";
import { renderLlama31, trimAsPython } from "./llama-3-1-template.ts";

const date = "26 Jul 2024";

test("the mission's example renders byte for byte", () => {
  const prompt = renderLlama31(
    [
      { role: "system", content: "You are a helpful assistant." },
      { role: "user", content: "Explain quantum computing" },
    ],
    { date, ending: "answer" },
  );
  expect(prompt).toBe(
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\nYou are a helpful assistant.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nExplain quantum computing<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
  );
});

test("consecutive roles, text parts and late instructions render in order, trimmed", () => {
  const prompt = renderLlama31(
    [
      { role: "user", content: "\n one \n" },
      {
        role: "user",
        content: [
          { type: "text", text: "two " },
          { type: "text", text: " three" },
        ],
      },
      { role: "assistant", content: null },
      { role: "system", content: "Be brief." },
    ],
    { date: "01 Jan 2026", ending: "answer" },
  );
  expect(prompt).toBe(
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: 01 Jan 2026\n\n<|eot_id|>" +
      "<|start_header_id|>user<|end_header_id|>\n\none<|eot_id|>" +
      "<|start_header_id|>user<|end_header_id|>\n\ntwo \n three<|eot_id|>" +
      "<|start_header_id|>assistant<|end_header_id|>\n\n<|eot_id|>" +
      "<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>" +
      "<|start_header_id|>assistant<|end_header_id|>\n\n",
  );
});

test("a chat without a system message still has the template's system block", () => {
  expect(renderLlama31([{ role: "user", content: "Hi" }], { date, ending: "answer" })).toBe(
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
  );
});

test("a continued answer ends with its own text, without the blanks behind it", () => {
  const prompt = renderLlama31(
    [
      { role: "user", content: "Count" },
      { role: "assistant", content: "One, two, " },
    ],
    { date, ending: "continue" },
  );
  expect(prompt.endsWith("<|start_header_id|>assistant<|end_header_id|>\n\nOne, two,")).toBe(true);
});

test("blanks are those of Python's strip, not of JavaScript's trim", () => {
  expect(trimAsPython("\u001c\u0085 \u2028a b\u3000\u001f")).toBe("a b");
  expect(trimAsPython("\ufeffa\u200b")).toBe("\ufeffa\u200b");
  expect(trimAsPython(" \n\t")).toBe("");
});
