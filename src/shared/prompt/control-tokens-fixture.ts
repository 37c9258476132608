/** Control tokens of published templates, and texts that are made of pieces of them. */
import * as fc from "fast-check";

export const barTokens = [
  "<|begin_of_text|>",
  "<|end_of_text|>",
  "<|eot_id|>",
  "<|eom_id|>",
  "<|start_header_id|>",
  "<|end_header_id|>",
  "<|python_tag|>",
  "<|finetune_right_pad_id|>",
  "<|reserved_special_token_12|>",
  "<|im_start|>",
  "<|im_end|>",
  "<|endoftext|>",
  "<|fim_prefix|>",
  "<|start|>",
  "<|channel|>",
  "<\uff5cbegin\u2581of\u2581sentence\uff5c>",
  "<\uff5cUser\uff5c>",
];
const otherTokens = [
  "<s>",
  "</s>",
  "<unk>",
  "[INST]",
  "[/INST]",
  "<<SYS>>",
  "<</SYS>>",
  "[TOOL_CALLS]",
  "[AVAILABLE_TOOLS]",
  "[/AVAILABLE_TOOLS]",
  "[SYSTEM_PROMPT]",
  "<start_of_turn>",
  "<end_of_turn>",
  "<bos>",
  "<eos>",
  "<unused12>",
  "<turn|>",
  "<channel|>",
  "<tool_response|>",
  "<SPECIAL_10>",
  "<extra_id_0>",
  "<seed:bos>",
  "<seed:eos>",
  "[MODEL_SETTINGS]",
  "[unused9]",
  "[|system|]",
  "[|endofturn|]",
  "]~b]",
  "]~!b[",
  "[e~[",
];
export const allTokens = [...barTokens, ...otherTokens];

export function tokensIn(text: string, tokens: readonly string[] = allTokens): string[] {
  return tokens.filter((token) => text.includes(token));
}

/** Pieces of tokens, whole tokens, blanks that trimming eats, and the joint itself. */
const piece = fc.oneof(
  fc.constantFrom(...allTokens),
  fc
    .tuple(fc.constantFrom(...allTokens), fc.nat(24), fc.nat(24))
    .map(([token, a, b]) => token.slice(Math.min(a, b), Math.max(a, b))),
  fc.constantFrom("<", "|", ">", "[", "]", "/", " ", "\n", "\u200b", "\u3000", "<|", "|>", "\uff5c"),
  fc.string({ maxLength: 3 }),
);
export const hostile = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
