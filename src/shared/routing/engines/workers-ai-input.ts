/** What does `AI.run` get for a composed body? The binding's published input, which knows fewer fields than OpenAI's API. */
import { err, ok, type Result } from "../../contracts/result.ts";
import type { OriginPath } from "../ports.ts";
import { asResponseFormat } from "./body-fields.ts";

/**
 * Text generation's input as @cloudflare/workers-types declares it (`AiTextGenerationInput`); workers/origin-bindings.ts holds the
 * two against each other.
 */
export interface TextInput {
  messages?: { role: string; content: string }[];
  prompt?: string;
  raw?: boolean;
  stream?: boolean;
  max_tokens?: number;
  temperature?: number;
  top_p?: number;
  top_k?: number;
  seed?: number;
  repetition_penalty?: number;
  frequency_penalty?: number;
  presence_penalty?: number;
  tools?: object;
  response_format?: { type: string; json_schema?: unknown };
}

/** `AiTextEmbeddingsInput`. */
export interface EmbeddingInput {
  text: string[];
}

/** `Ai_Cf_Baai_Bge_Reranker_Base_Input`, whose declaration has lost the line of its `query`. */
export interface RerankInput {
  query: string;
  contexts: { text: string }[];
  top_k: number;
}

export type WorkersAiInput = TextInput | EmbeddingInput | RerankInput;

type Body = Readonly<Record<string, unknown>>;

const numbers = [
  "max_tokens",
  "temperature",
  "top_p",
  "top_k",
  "seed",
  "repetition_penalty",
  "frequency_penalty",
  "presence_penalty",
] as const;

/** The error says what the binding has no word for although the answer depends on it. `stop` is carried out here (stop-cutter.ts). */
export function workersAiInput(path: OriginPath, body: Body): Result<WorkersAiInput, string> {
  if (path === "/v1/embeddings")
    return body["dimensions"] === undefined ? embeddingInput(body["input"]) : err("dimensions");
  if (path === "/v1/rerank") return rerankInput(body);
  if (path !== "/v1/chat/completions" && path !== "/v1/completions") return err(path);
  const lacking = ["logprobs", "logit_bias", "allowed_token_ids", "echo"].find(
    (field) => body[field] !== undefined && body[field] !== false,
  );
  if (lacking !== undefined) return err(lacking);
  if (typeof body["n"] === "number" && body["n"] > 1) return err("n over 1");
  const choice = body["tool_choice"];
  if (choice !== undefined && choice !== "auto" && choice !== "none") return err("a forced tool_choice");
  const input: TextInput = { stream: body["stream"] === true };
  for (const field of numbers) {
    const value = body[field];
    if (typeof value === "number") input[field] = value;
  }
  // "All tokens" is no number there.
  if (input.top_k !== undefined && input.top_k <= 0) delete input.top_k;
  const format = responseFormat(body);
  if (!format.ok) return format;
  if (format.value !== null) input.response_format = format.value;
  if (Array.isArray(body["tools"]) && choice !== "none") input.tools = body["tools"];
  if (path === "/v1/completions") {
    if (typeof body["prompt"] !== "string") return err("a prompt that is not one text");
    // The frame is in the prompt already.
    return ok({ ...input, prompt: body["prompt"], raw: true });
  }
  return ok({ ...input, messages: (body["messages"] as readonly Body[]).map(flattened) });
}

function responseFormat(body: Body): Result<NonNullable<TextInput["response_format"]> | null, string> {
  if (body["structured_outputs"] !== undefined) {
    const format = asResponseFormat(body["structured_outputs"]);
    return format.ok ? responseFormat({ response_format: format.value }) : format;
  }
  const asked = body["response_format"] as { type?: string; json_schema?: { schema?: unknown } } | undefined;
  if (asked?.type === undefined || asked.type === "text") return ok(null);
  // OpenAI wraps the schema together with a name; here it stands alone.
  return ok(
    asked.type === "json_schema"
      ? { type: "json_schema", json_schema: asked.json_schema?.schema }
      : { type: asked.type },
  );
}

/** A list of text parts is one text there; parts of other kinds stay, for models that read them. */
function flattened(message: Body): { role: string; content: string } {
  const { content } = message;
  const parts = Array.isArray(content) ? (content as readonly Body[]) : null;
  const texts = parts?.map((part) => part["text"]);
  const text = texts?.every((part) => typeof part === "string") === true ? texts.join("\n") : (content ?? "");
  return { ...message, content: text } as { role: string; content: string };
}

function embeddingInput(input: unknown): Result<EmbeddingInput, string> {
  const texts: unknown[] = Array.isArray(input) ? [...(input as readonly unknown[])] : [input];
  return texts.every((text) => typeof text === "string") ? ok({ text: texts }) : err("token ids");
}

function rerankInput({ query, documents }: Body): Result<RerankInput, string> {
  const texts: readonly unknown[] = Array.isArray(documents) ? documents : [];
  if (typeof query !== "string" || texts.length === 0 || !texts.every((text) => typeof text === "string"))
    return err("documents that are not texts");
  // Fewer by `top_n` would leave some without a score; the binding's own default is not told.
  return ok({ query, contexts: texts.map((text) => ({ text })), top_k: texts.length });
}
