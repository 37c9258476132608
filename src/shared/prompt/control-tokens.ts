import { type ChatMessage, type ContentPart, isTextPart } from "./chat-message.ts";

/**
 * How does text that a user sent reach the engine without its template's control tokens working as such?
 *
 * A tokenizer turns `<|eot_id|>` in a prompt into the control token, whoever wrote it: a user could end their own
 * message and begin a system message. So a zero-width space (U+200B) is put behind the first character of every
 * opener. The text looks the same and reads the same to a model, and no vocabulary has a control token with U+200B in
 * it. U+200B is no blank to Python's `strip()`, so that a template's trimming can't undo it.
 *
 * The `bars` family (`<|…`, of Llama 3, Qwen, Phi, GPT; `<｜…` of DeepSeek) is always neutralised. The others' tokens are
 * also ordinary text (`<s>` is HTML, `[INST]` may be prose), so they are left alone where the model is known to be of
 * the `bars` family; a model that nobody knows gets both. `<|` before a blank or `>`, `=`, `|` is an operator of F#,
 * Haskell or R, begins no known control token, and stays. Line feeds within an opener are looked through, for a template that takes them out.
 *
 * Not covered: a template that strips U+200B, or a tokenizer that normalises it away (none known).
 */
export type TokenFamily = "bars" | "all";

/** Bump with every change of what the engine gets: part of the answer cache's key. */
export const controlTokenRulesVersion = "3";

const joint = "\u200b";
const bars = /<(?=\n*(?:\|\n*(?![\s>=|])|\uff5c))/g;
/** Only openers: the rest of a token is harmless by itself. */
const others = new RegExp(
  [
    // Llama 2, Gemma 2 and 3; older and encoder models.
    String.raw`<(?=\/?(?:s|unk|pad|bos|eos|mask|cls|sep|start_of_turn|end_of_turn|start_of_image|end_of_image|unused\d+)>)`,
    String.raw`<(?=<\/?SYS>>)`,
    // Gemma 4, which closes by `<turn|>` what `<|turn>` opened.
    String.raw`<(?=[a-z_]{1,24}\|>)`,
    // Nemotron (`<SPECIAL_10>`, `<extra_id_0>`), Seed-OSS (`<seed:bos>`). Ling's `<role>` is everybody's XML, and ends nothing.
    String.raw`<(?=(?:SPECIAL_|extra_id_)\d+>)|<(?=\/?seed:)`,
    // Mistral; `[unused9]` of Pangu.
    String.raw`\[(?=\/?(?:INST|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|CALL_ID|ARGS|SYSTEM_PROMPT|MODEL_SETTINGS|IMG|IMG_BREAK|IMG_END|PREFIX|SUFFIX|MIDDLE|THINK|AUDIO|BEGIN_AUDIO|TRANSCRIBE|gMASK|MASK|CLS|SEP|PAD|UNK|unused\d+)\])`,
    // EXAONE.
    String.raw`\[(?=\|(?:system|user|assistant|tool|endofturn)\|\])`,
    // MiniMax: `]~b]` before a role, `[e~[` behind its text, `]~!b[` in front of all.
    String.raw`\[(?=e~\[)|\](?=~!?[a-z]+[[\]]|![a-z]~\[|<\]minimax)`,
  ].join("|"),
  "g",
);

const barsModels =
  /llama-?3|llama-?4|qwen|deepseek|phi-?[34]|gpt-?(?:oss|4)|smollm|granite|command-?r|kimi|glm|yi-/i;

/** By the model's id and served name. Unknown: `all`. */
export function tokenFamilyOf(model: { readonly id: string; readonly served_name: string }): TokenFamily {
  return barsModels.test(model.served_name) || barsModels.test(model.id) ? "bars" : "all";
}

/** The same text where no control token could begin; the very same string where there was none. */
export function neutraliseText(text: string, family: TokenFamily): string {
  let safe = text;
  if (safe.includes("<|") || safe.includes("<\uff5c") || safe.includes("<\n"))
    safe = safe.replace(bars, `<${joint}`);
  if (family === "all" && (safe.includes("<") || safe.includes("[") || safe.includes("]")))
    safe = safe.replace(others, (opener) => `${opener}${joint}`);
  return safe;
}

/**
 * Every string in a value, keys too: tool definitions, arguments, names. Returns the same reference where nothing
 * changed, so that the usual request costs one walk and no allocation.
 */
export function neutraliseValue<T>(value: T, family: TokenFamily): T {
  return walk(value, family, 0) as T;
}

const maxDepth = 64;

function walk(value: unknown, family: TokenFamily, depth: number): unknown {
  if (typeof value === "string") return neutraliseText(value, family);
  if (typeof value !== "object" || value === null) return value;
  // The body's own validation bounds its depth far below; beyond it something is broken, and passing text on would be worse.
  if (depth > maxDepth) throw new Error("a value nested deeper than any request may be");
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (let index = 0; index < value.length; index += 1) {
      const before: unknown = value[index];
      const after = walk(before, family, depth + 1);
      if (after !== before) {
        copy ??= value.slice();
        copy[index] = after;
      }
    }
    return copy ?? value;
  }
  let changed = false;
  const entries: [string, unknown][] = [];
  for (const [key, before] of Object.entries(value)) {
    const safeKey = neutraliseText(key, family);
    const after = walk(before, family, depth + 1);
    if (after !== before || safeKey !== key) changed = true;
    entries.push([safeKey, after]);
  }
  return changed ? Object.fromEntries(entries) : value;
}

/**
 * A message as the engine may see it. Beyond the strings themselves it closes two ways in which a token could arise
 * later: by joining the content's text parts, and by decoding the JSON of a tool call's arguments (`\u003c|eot_id|>`).
 */
export function neutraliseMessage<M extends ChatMessage>(message: M, family: TokenFamily): M {
  const { content } = message;
  if (typeof content === "string" && isBare(message)) {
    const safe = neutraliseText(content, family);
    return safe === content ? message : { ...message, content: safe };
  }
  let result = neutraliseValue(message, family);
  if (Array.isArray(result.content)) {
    const parts = separateParts(result.content as readonly ContentPart[], family);
    if (parts !== result.content) result = { ...result, content: parts };
  }
  if (Array.isArray(result.tool_calls)) {
    const calls = neutraliseArguments(result.tool_calls, family);
    if (calls !== result.tool_calls) result = { ...result, tool_calls: calls };
  }
  return result;
}

function isBare(message: ChatMessage): boolean {
  for (const key in message) if (key !== "role" && key !== "content") return false;
  return true;
}

function separateParts(parts: readonly ContentPart[], family: TokenFamily): readonly ContentPart[] {
  let joined = "";
  for (const part of parts) if (isTextPart(part)) joined += part.text;
  if (neutraliseText(joined, family) === joined) return parts;
  let first = true;
  return parts.map((part) => {
    if (!isTextPart(part)) return part;
    const text = first ? part.text : joint + part.text;
    first = false;
    return { ...part, text };
  });
}

function neutraliseArguments(calls: readonly unknown[], family: TokenFamily): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let index = 0; index < calls.length; index += 1) {
    const call: unknown = calls[index];
    if (typeof call !== "object" || call === null) continue;
    const before = (call as { function?: unknown }).function;
    const after = neutraliseCall(before, family);
    if (after !== before) {
      copy ??= calls.slice();
      copy[index] = { ...call, function: after };
    }
  }
  return copy ?? calls;
}

function neutraliseCall(call: unknown, family: TokenFamily): unknown {
  if (typeof call !== "object" || call === null) return call;
  const text = (call as { arguments?: unknown }).arguments;
  if (typeof text !== "string" || !text.includes("\\")) return call;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Not JSON: no template decodes it, and its characters as they stand have been neutralised already.
    return call;
  }
  const safe = neutraliseValue(parsed, family);
  return safe === parsed ? call : { ...call, arguments: JSON.stringify(safe) };
}
