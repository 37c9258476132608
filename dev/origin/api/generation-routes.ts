import { randomUUID } from "node:crypto";
import type * as z from "zod";
import { ok, type Result } from "../../../src/shared/contracts/result.ts";
import type { ServedModel } from "../catalog.ts";
import { composeChoice, type Choice } from "../engine/compose.ts";
import type { EngineParts } from "../engine/generation.ts";
import { badRequest, invalid, modelNotFound, type EngineRefusal } from "../engine/refusal.ts";
import { tokenizerOf } from "../engine/tokenizer.ts";
import type { Conversation } from "../model/conversation.ts";
import { replyTo } from "../model/reply.ts";
import { wordsOf } from "../model/long-text.ts";
import type { Exchange } from "../server/exchange.ts";
import { chatAnswer, type ReasoningField } from "./chat-answer.ts";
import { chatSchema, readChat } from "./chat-request.ts";
import { completionSchema, readPrompts } from "./completion-request.ts";
import { plainAnswer } from "./plain-answer.ts";
import { describeIssues, readSampling } from "./sampling.ts";
import { answerLimit, serveGeneration, type AnswerForm, type ServedAnswer } from "./serve-generation.ts";

/** The routes `/v1/chat/completions` and `/v1/completions`: read, refuse or compose, and pass to the engine. */
export interface GenerationDeps {
  readonly engine: EngineParts;
  readonly models: ReadonlyMap<string, ServedModel>;
  readonly settings: { readonly reasoningField: ReasoningField };
  /** Ids of the engine's running requests. */
  readonly running: Set<string>;
}

/** Everything that depends on the body alone. The same body always gets the same answer, so this may be kept. */
export interface Prepared extends Omit<ServedAnswer, "form"> {
  readonly media: readonly string[];
  /** The prefix before the request's id in the answer's id. */
  readonly idPrefix: "chatcmpl" | "cmpl";
  /** The id that the body names. */
  readonly givenId: string | null | undefined;
  readonly form: (id: string) => AnswerForm;
}

export type Prepare = (body: unknown, deps: GenerationDeps) => Result<Prepared, EngineRefusal>;

export function serve(exchange: Exchange, prepared: Prepared, deps: GenerationDeps): void {
  if (exchange.record !== undefined) exchange.record.media_urls = prepared.media;
  const id = `${prepared.idPrefix}-${requestId(exchange, prepared.givenId)}`;
  const { running } = deps;
  // vLLM stores its requests by id, and refuses an id that is already running (see its issue 10583).
  if (running.has(id)) return exchange.refuse(badRequest(`Request id ${id} already running.`).error);
  running.add(id);
  exchange.response.once("close", () => running.delete(id));
  serveGeneration(exchange, deps.engine, { ...prepared, form: prepared.form(id) });
}

export const prepareChat: Prepare = (body, deps) => {
  const request = parse(chatSchema, body);
  if (!request.ok) return request;
  const model = findModel(request.value.model, deps.models);
  if (!model.ok) return model;
  const sampling = readSampling(request.value);
  if (!sampling.ok) return sampling;
  const chat = readChat(request.value, model.value);
  if (!chat.ok) return chat;
  const tokenizer = tokenizerOf(model.value.family);
  const encoded = tokenizer.encode(chat.value.prompt);
  const { max_completion_tokens: newer, max_tokens: older } = request.value;
  const name = newer == null ? "max_tokens" : "max_completion_tokens";
  const limit = answerLimit(model.value, encoded.ids.length, newer ?? older, name);
  if (!limit.ok) return limit;
  const { conversation, prefix, prompt, media } = chat.value;
  const choices: Choice[] = [];
  for (let index = 0; index < sampling.value.n; index++) {
    const reply = said(conversation, prefix, sampling.value.variant + index);
    choices.push(
      composeChoice(reply, {
        tokenizer,
        sampling: sampling.value,
        maxTokens: limit.value,
        namedTool: conversation.toolChoice.kind === "named",
      }),
    );
  }
  const { logprobs, top_logprobs: top, include_reasoning: thoughts, request_id: givenId } = request.value;
  return ok({
    model: model.value,
    sampling: sampling.value,
    prompts: [{ text: prompt, encoded }],
    choices,
    media,
    idPrefix: "chatcmpl",
    givenId,
    form: (id) =>
      chatAnswer({
        id,
        model: model.value.name,
        topLogprobs: logprobs === true ? Math.max(top ?? 0, 0) : undefined,
        reasoningField: deps.settings.reasoningField,
        includeReasoning: thoughts !== false,
      }),
  });
};

export const preparePlain: Prepare = (body, deps) => {
  const request = parse(completionSchema, body);
  if (!request.ok) return request;
  const model = findModel(request.value.model, deps.models);
  if (!model.ok) return model;
  const sampling = readSampling(request.value);
  if (!sampling.ok) return sampling;
  const prompts = readPrompts(request.value, model.value);
  if (!prompts.ok) return prompts;
  const tokenizer = tokenizerOf(model.value.family);
  const choices: Choice[] = [];
  const { n, variant } = sampling.value;
  for (const prompt of prompts.value) {
    // The plain API's default is 16 tokens; null counts as given and allows the whole window.
    const asked = request.value.max_tokens === undefined ? 16 : request.value.max_tokens;
    const limit = answerLimit(model.value, prompt.encoded.ids.length, asked, "max_tokens");
    if (!limit.ok) return limit;
    for (let index = 0; index < n; index++) {
      const reply = said(prompt.conversation, prompt.prefix, variant + index);
      const options = { tokenizer, sampling: sampling.value, maxTokens: limit.value, namedTool: false };
      choices.push(composeChoice(reply, options));
    }
  }
  const { echo, logprobs, request_id: givenId } = request.value;
  return ok({
    model: model.value,
    sampling: sampling.value,
    prompts: prompts.value,
    choices,
    media: [],
    idPrefix: "cmpl",
    givenId,
    form: (id) =>
      plainAnswer({
        id,
        model: model.value.name,
        logprobs: logprobs ?? undefined,
        echoed: (index) => {
          const prompt = echo === true ? prompts.value[Math.floor(index / n)] : undefined;
          if (prompt === undefined) return undefined;
          return { text: prompt.text, tokens: tokenizer.pieces(prompt.text) };
        },
      }),
  });
};

/** The number of the model's wordings: a continuation looks for the one that begins with the prefix. */
const variants = 3;

/**
 * The whole answer, or the text after the prefix. A prefix that begins one of the model's answers is continued exactly, so
 * that a stream continued by another replica reads as one.
 */
function said(conversation: Conversation, prefix: string | undefined, variant: number) {
  const reply = replyTo(conversation, variant);
  if (prefix === undefined || prefix === "") return reply;
  for (let tried = 0; tried < variants; tried++) {
    const { content } = tried === 0 ? reply : replyTo(conversation, variant + tried);
    if (content.startsWith(prefix))
      return { reasoning: "", content: content.slice(prefix.length), calls: [] };
    // After its natural end (min_tokens, ignore_eos) the answer continued with filler text.
    if (prefix.startsWith(content) && content !== "") {
      const further: string = `${content} ${wordsOf(prefix.length - content.length + 20)}`;
      if (further.startsWith(prefix)) return { reasoning: "", content: "", calls: [] };
    }
  }
  return {
    reasoning: "",
    content: ` (going on from ${prefix.length} characters) ${reply.content}`,
    calls: [],
  };
}

export function parse<T>(schema: z.ZodType<T>, body: unknown): Result<T, EngineRefusal> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return ok(parsed.data);
  const { message, param } = describeIssues(parsed.error);
  return invalid(message, param);
}

export function findModel(
  name: string,
  models: ReadonlyMap<string, ServedModel>,
): Result<ServedModel, EngineRefusal> {
  const model = models.get(name);
  return model === undefined ? modelNotFound(name) : ok(model);
}

/** vLLM uses the caller's id if one is given. */
function requestId(exchange: Exchange, given: string | null | undefined): string {
  const header = exchange.request.headers["x-request-id"];
  const id = given ?? (typeof header === "string" ? header : undefined);
  return id !== undefined && /^[\w.:-]{1,128}$/.test(id) ? id : randomUUID().replaceAll("-", "");
}
