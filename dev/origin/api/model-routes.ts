import { randomUUID } from "node:crypto";
import * as z from "zod";
import type { ServedModel } from "../catalog.ts";
import { badRequest } from "../engine/refusal.ts";
import { tokenizerOf } from "../engine/tokenizer.ts";
import type { Exchange } from "../server/exchange.ts";
import { chatSchema, readChat } from "./chat-request.ts";
import { findModel, parse } from "./generation-routes.ts";

/** The routes for models and tokens: `/v1/models`, `/tokenize`, `/detokenize`. */
export function modelList(models: ReadonlyMap<string, ServedModel>, startedMs: number): string {
  const created = Math.floor(startedMs / 1000);
  const data = [...models.values()].map((model) => ({
    id: model.name,
    object: "model",
    created,
    owned_by: "vllm",
    root: model.name,
    parent: null,
    max_model_len: model.contextWindow,
    permission: [
      {
        id: `modelperm-${randomUUID().replaceAll("-", "")}`,
        object: "model_permission",
        created,
        allow_create_engine: false,
        allow_sampling: true,
        allow_logprobs: true,
        allow_search_indices: false,
        allow_view: true,
        allow_fine_tuning: false,
        organization: "*",
        group: null,
        is_blocking: false,
      },
    ],
  }));
  return JSON.stringify({ object: "list", data });
}

const textSchema = z.looseObject({
  model: z.string(),
  prompt: z.string(),
  add_special_tokens: z.boolean().nullish(),
  return_token_strs: z.boolean().nullish(),
});

export function tokenize(
  exchange: Exchange,
  body: unknown,
  deps: { readonly models: ReadonlyMap<string, ServedModel> },
): void {
  const chat = typeof body === "object" && body !== null && "messages" in body;
  const request = chat ? parse(chatSchema, body) : parse(textSchema, body);
  if (!request.ok) return exchange.refuse(request.error);
  const model = findModel(request.value.model, deps.models);
  if (!model.ok) return exchange.refuse(model.error);
  const tokenizer = tokenizerOf(model.value.family);
  let text: string;
  if ("messages" in request.value) {
    const read = readChat(request.value as z.infer<typeof chatSchema>, model.value);
    if (!read.ok) return exchange.refuse(read.error);
    text = read.value.prompt;
  } else {
    const bos = request.value.add_special_tokens === false ? "" : (tokenizer.bos ?? "");
    text = bos + request.value.prompt;
  }
  const { ids } = tokenizer.encodeRemembering(text);
  const strings =
    request.value["return_token_strs"] === true ? ids.map((id) => tokenizer.decode([id]) ?? "") : null;
  exchange.sendJson(
    200,
    JSON.stringify({
      count: ids.length,
      max_model_len: model.value.contextWindow,
      tokens: ids,
      token_strs: strings,
    }),
  );
}

const idsSchema = z.looseObject({ model: z.string(), tokens: z.array(z.int()) });

export function detokenize(
  exchange: Exchange,
  body: unknown,
  deps: { readonly models: ReadonlyMap<string, ServedModel> },
): void {
  const request = parse(idsSchema, body);
  if (!request.ok) return exchange.refuse(request.error);
  const model = findModel(request.value.model, deps.models);
  if (!model.ok) return exchange.refuse(model.error);
  const text = tokenizerOf(model.value.family).decode(request.value.tokens);
  if (text === undefined) return exchange.refuse(badRequest("Token id is out of vocabulary", "tokens").error);
  exchange.sendJson(200, JSON.stringify({ prompt: text }));
}
