/**
 * Calls of the routes beside `POST /v1/chat/completions`: valid ones in their variety, the same broken in every way, odd
 * queries of lists, and uploads that are no form. For tests that send thousands of them to the running stack.
 */
import * as fc from "fast-check";
import { arbitraryRead } from "./arbitrary-read.ts";
import { arbitraryUpload } from "./arbitrary-upload.ts";
import { brokenText, brokenValue } from "./broken-chat-body.ts";
import {
  apiKey,
  attributes,
  batch,
  type Body,
  completion,
  counted,
  embeddings,
  groundedChat,
  items,
  metadata,
  moderation,
  response,
  retrieval,
  search,
  tenant,
  text,
  vectorStore,
} from "./valid-bodies.ts";

export interface GeneratedCall {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  /** What is sent, as it is; `null`: nothing. */
  readonly text: string | null;
  readonly contentType: string;
  /** Whose credential it needs. */
  readonly as: "user" | "admin" | "platform";
  /** `valid`: it must be carried out, but for what a model can't do. `broken`: it may happen to be valid still. */
  readonly intent: "valid" | "broken";
}

/** What there is to be asked about. */
export interface CallTargets {
  readonly models: readonly string[];
  readonly store: string;
  readonly file: string;
  readonly conversation: string;
  readonly response: string;
  readonly completion: string;
  /** A tenant that may be written. */
  readonly tenant: string;
}

interface Route {
  readonly method: "POST" | "PUT";
  readonly path: string;
  readonly body: Body;
  readonly structured: readonly string[];
  readonly as: GeneratedCall["as"];
}

export function arbitraryCall(targets: CallTargets): fc.Arbitrary<GeneratedCall> {
  const ofBody = fc.oneof(...routesOf(targets).map(callsOf));
  return fc.oneof(
    { weight: 8, arbitrary: ofBody },
    { weight: 3, arbitrary: arbitraryRead(targets) },
    { weight: 1, arbitrary: arbitraryUpload },
  );
}

function callsOf({ method, path, body, structured, as }: Route): fc.Arbitrary<GeneratedCall> {
  const rest = { method, path, as, contentType: "application/json" };
  return fc.oneof(
    {
      weight: 5,
      arbitrary: body.map((one) => ({ ...rest, text: JSON.stringify(one), intent: "valid" as const })),
    },
    {
      weight: 5,
      arbitrary: fc
        .oneof(
          {
            weight: 6,
            arbitrary: brokenValue(body, structured).map((value) => JSON.stringify(value)),
          },
          { weight: 2, arbitrary: brokenText(body.map((one) => JSON.stringify(one))) },
          { weight: 1, arbitrary: fc.json() },
        )
        .map((broken) => ({ ...rest, text: broken, intent: "broken" as const })),
    },
  );
}

function routesOf(targets: CallTargets): readonly Route[] {
  const post = (path: string, body: Body, ...structured: string[]): Route => ({
    method: "POST",
    path,
    body,
    structured: structured.length === 0 ? ["metadata"] : structured,
    as: "user",
  });
  const { store, conversation } = targets;
  const wanted = retrieval(store);
  const files = fc.record({ file_id: fc.constant(targets.file), attributes }, { requiredKeys: ["file_id"] });
  return [
    post("/v1/chat/completions", groundedChat(targets, wanted), "retrieval", "retrieval", "messages"),
    post("/v1/responses", response(targets, wanted), "input", "tools", "text"),
    post("/v1/responses", response(targets, wanted), "input", "tools", "tools"),
    post("/v1/responses/input_tokens", counted(targets, wanted), "input", "tools"),
    post("/v1/vector_stores", vectorStore, "chunking_strategy", "expires_after", "metadata"),
    post(`/v1/vector_stores/${store}`, fc.record({ name: text, metadata })),
    post(`/v1/vector_stores/${store}/search`, search, "filters", "filters", "ranking_options"),
    post(`/v1/vector_stores/${store}/files`, files, "attributes"),
    post(`/v1/vector_stores/${store}/files/${targets.file}`, fc.record({ attributes }), "attributes"),
    post(`/v1/vector_stores/${store}/file_batches`, batch(targets.file), "files", "attributes"),
    post("/v1/conversations", fc.record({ metadata, items: items(3) }), "items", "metadata"),
    post(`/v1/conversations/${conversation}/items`, fc.record({ items: items(1) }), "items"),
    post(`/v1/conversations/${conversation}`, fc.record({ metadata, title: fc.constant("A title") })),
    post(`/v1/chat/completions/${targets.completion}`, fc.record({ metadata })),
    post("/v1/moderations", moderation, "input"),
    post("/v1/embeddings", embeddings, "input"),
    post("/v1/completions", completion(targets.models), "prompt"),
    { ...post("/admin/keys", apiKey, "limits"), as: "admin" },
    {
      method: "PUT",
      path: `/admin/tenants/${targets.tenant}`,
      body: tenant(targets.tenant),
      structured: ["issuers", "tools", "tools", "retrieval", "cache", "safety"],
      as: "platform",
    },
  ];
}
