import { type ChatMessage, flattenContent } from "./chat-message.ts";

/**
 * Which prompt does Llama 3.1's published chat template give for a chat without tools? Byte for byte.
 *
 * Written by hand rather than rendered by a Jinja engine: the published template without tools is a loop of one line,
 * which costs a microsecond here and 22 KB and a parse at start there. test/node/published-llama-template.test.ts
 * renders the published template with @huggingface/jinja over generated chats and asks for equality. Tools, media and reasoning never come here
 * (needs-engine-parser.ts). Content must have passed control-tokens.ts before.
 */
export interface Llama31Options {
  /** "Today Date", e.g. `26 Jul 2024`: the model record's `template_date`, never today's. */
  readonly date: string;
  /**
   * `answer`: ends with the header of the assistant's answer. `continue`: the last message is left open, so that the
   * model goes on in it; as in Hugging Face's `continue_final_message`, the blanks at its end are trimmed away.
   */
  readonly ending: "answer" | "continue";
}

const llama31BeginOfText = "<|begin_of_text|>";

/** What ends an answer. The first is what a turn normally ends with. */
export const llama31StopTokens = ["<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"] as const;

/** The same as ids of the Llama 3 vocabulary: an engine that strips special tokens from its text can't match strings. */
export const llama31StopTokenIds = [128009, 128008, 128001] as const;

const systemHeader =
  "<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: ";
const answerHeader = "<|start_header_id|>assistant<|end_header_id|>\n\n";

export function renderLlama31(messages: readonly ChatMessage[], options: Llama31Options): string {
  const first = messages[0];
  const hasSystem = first !== undefined && first.role === "system";
  let prompt = `${llama31BeginOfText}${systemHeader}${options.date}\n\n${hasSystem ? trimAsPython(flattenContent(first.content)) : ""}`;
  const start = hasSystem ? 1 : 0;
  for (let index = start; index < messages.length; index += 1) {
    const message = messages[index];
    if (message === undefined) break;
    prompt += `<|eot_id|><|start_header_id|>${message.role}<|end_header_id|>\n\n${trimAsPython(flattenContent(message.content))}`;
  }
  return options.ending === "continue" ? prompt : `${prompt}<|eot_id|>${answerHeader}`;
}

/**
 * Jinja's `trim` is Python's `str.strip()`, whose blanks are not those of JavaScript's `trim()`: U+001C to U+001F and
 * U+0085 are blank, U+FEFF is not.
 */
export function trimAsPython(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isPythonBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isPythonBlank(text.charCodeAt(end - 1))) end -= 1;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

function isPythonBlank(code: number): boolean {
  if (code <= 0x20) return (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x20);
  if (code < 0x85) return false;
  return (
    code === 0x85 ||
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}
