/**
 * Which field of a request does an engine's error message complain about? vLLM rarely says (a schema that it can't compile is refused
 * without `param`), so the known messages of each server are matched here.
 */
const sentences: readonly (readonly [RegExp, readonly string[]])[] = [
  // vLLM's backends (vllm/v1/structured_output), OpenAI, llama.cpp, xgrammar behind TensorRT-LLM.
  [
    /json schema|json_schema|grammar|structured.outputs?|guided.decoding|transform (?:regex|choices)|parsing regex|anchored universal start|schema for response_format/i,
    ["structured_outputs", "response_format", "tools"],
  ],
  [/tool.choice|tool.call|schema for function/i, ["tool_choice", "tools"]],
  [/\bimages?\b|multi-?modal|\baudio\b/i, ["messages"]],
  // A completion of nothing: vLLM, SGLang.
  [/prompt.{0,40}(?:non-empty|cannot be empty)/i, ["prompt", "messages"]],
  [/matryoshka|dimension/i, ["dimensions"]],
  // Our own, for engines that only know one choice.
  [/\bn over 1\b/, ["n"]],
];

/** Fields that no client sends: it could do nothing about their refusal. */
const ours: ReadonlySet<string> = new Set(["cache_salt", "add_generation_prompt", "continue_final_message"]);

/**
 * @param detail the engine's words, as they are logged
 * @param fields those of the body that it was sent
 * @returns `null`: its words name none of them
 */
export function rejectedField(detail: string, fields: ReadonlySet<string>): string | null {
  for (const [name] of detail.matchAll(/\b[a-z]+(?:_[a-z]+)+\b/g))
    if (fields.has(name) && !ours.has(name)) return name;
  for (const [sentence, candidates] of sentences) {
    if (!sentence.test(detail)) continue;
    const field = candidates.find((candidate) => fields.has(candidate));
    if (field !== undefined) return field;
  }
  return null;
}
