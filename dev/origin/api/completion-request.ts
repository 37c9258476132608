import * as z from "zod";
import { ok, type Result } from "../../../src/shared/contracts/result.ts";
import type { ServedModel } from "../catalog.ts";
import { badRequest, invalid, type EngineRefusal } from "../engine/refusal.ts";
import { tokenizerOf, type Encoded } from "../engine/tokenizer.ts";
import type { Conversation, Turn } from "../model/conversation.ts";
import { readFormat } from "./output-format.ts";
import { maxLogprobs, samplingFields } from "./sampling.ts";

/** Which prompts does the engine's `/v1/completions` accept? Text, token ids, or several of either. */
const ids = z.array(z.int());
export const completionSchema = z.looseObject({
  ...samplingFields,
  prompt: z.union([z.string(), ids, z.array(z.string()), z.array(ids)]).nullish(),
  suffix: z.string().nullish(),
  echo: z.boolean().nullish(),
  logprobs: z.int().nullish(),
  best_of: z.int().nullish(),
});
export type CompletionRequest = z.infer<typeof completionSchema>;

export interface PlainPrompt {
  readonly text: string;
  readonly encoded: Encoded;
  readonly conversation: Conversation;
  readonly prefix: string | undefined;
}

export function readPrompts(
  request: CompletionRequest,
  model: ServedModel,
): Result<readonly PlainPrompt[], EngineRefusal> {
  if (!model.capabilities.has("completions")) return badRequest("The model does not support Completions API");
  const { logprobs, prompt } = request;
  if (typeof logprobs === "number" && logprobs < 0 && logprobs !== -1)
    return invalid("`logprobs` must be a positive value.", "logprobs");
  if (typeof logprobs === "number" && logprobs > maxLogprobs)
    return badRequest(
      `Requested sample logprobs of ${logprobs}, which is greater than max allowed: ${maxLogprobs}`,
      "logprobs",
    );
  if (request.suffix) return badRequest("suffix is not currently supported", "suffix");
  if (prompt === undefined || prompt === null || prompt.length === 0)
    return invalid("Either prompt or prompt_embeds must be provided and non-empty.", "prompt");
  const format = readFormat(request, model);
  if (!format.ok) return format;
  const tokenizer = tokenizerOf(model.family);
  const bos = request.add_special_tokens === false ? "" : (tokenizer.bos ?? "");
  const prompts: PlainPrompt[] = [];
  const several = typeof prompt === "string" || typeof prompt[0] === "number" ? [prompt] : prompt;
  for (const one of several as readonly (string | number[])[]) {
    const text = typeof one === "string" ? one : tokenizer.decode(one);
    if (text === undefined) return badRequest("Token id is out of vocabulary", "prompt");
    // Token ids stay unchanged; text gets the tokenizer's BOS token.
    const encoded = tokenizer.encode(typeof one === "string" ? bos + text : text);
    const { turns, prefix } = turnsOf(text);
    prompts.push({
      text,
      encoded,
      prefix,
      conversation: {
        model: model.name,
        turns,
        tools: [],
        toolChoice: { kind: "none" },
        format: format.value,
        reasoning: false,
        parallelCalls: false,
      },
    });
  }
  return ok(prompts);
}

const turn = /<\|start_header_id\|>(\w+)<\|end_header_id\|>\n\n([\s\S]*?)(?:<\|eot_id\|>|<\|eom_id\|>|$)/g;
const preamble = /^(?:Environment: ipython\n)?Cutting Knowledge Date: [^\n]*\nToday Date: [^\n]*\n\n/;

/** Parses a rendered chat back into turns, so that the model gives the same answer on either route. */
function turnsOf(prompt: string): { readonly turns: readonly Turn[]; readonly prefix: string | undefined } {
  const turns = [...prompt.matchAll(turn)].map(([, role, text = ""]): Turn => ({
    role: role === "system" || role === "assistant" ? role : role === "ipython" ? "tool" : "user",
    text: role === "system" ? text.replace(preamble, "") : text,
    calls: [],
    media: [],
  }));
  if (turns.length === 0)
    return { turns: [{ role: "user", text: prompt, calls: [], media: [] }], prefix: undefined };
  const last = turns.at(-1);
  if (last?.role !== "assistant") return { turns, prefix: undefined };
  return {
    turns: turns.slice(0, -1).filter(({ role, text }) => role !== "system" || text !== ""),
    prefix: last.text === "" ? undefined : last.text,
  };
}
