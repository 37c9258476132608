/** Is every example of the OpenAPI document a request that its own route takes? By the parsers of the routes, under a tenant's defaults. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { root } from "../../dev/local-secrets.ts";
import type { Result } from "../../src/shared/contracts/result.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { fleetSchema } from "../../src/shared/routing/fleet/fleet-config.ts";
import { retrievalPolicySchema } from "../../src/shared/retrieval/retrieval-policy.ts";
import { parseBatchCreation } from "../../src/shared/wire/batch-request.ts";
import { parseChatRequest } from "../../src/shared/wire/chat-request.ts";
import { parseCompletionRequest } from "../../src/shared/wire/completions-request.ts";
import {
  parseConversationCreation,
  parseConversationItems,
  parseConversationUpdate,
} from "../../src/shared/wire/conversation-request.ts";
import { parseEmbeddingRequest } from "../../src/shared/wire/embeddings-request.ts";
import { parseInputTokensRequest } from "../../src/shared/wire/input-tokens-request.ts";
import { parseModerationRequest } from "../../src/shared/wire/moderations-request.ts";
import { parseUploadCompletion, parseUploadCreation } from "../../src/shared/wire/parted-upload-request.ts";
import { parseResponseRequest } from "../../src/shared/wire/responses-request.ts";
import { type ComponentName, componentSchemas, publicRoutes } from "../../src/shared/wire/routes.ts";
import { parseCompletionUpdate } from "../../src/shared/wire/stored-completion-request.ts";
import {
  parseVectorStoreBatch,
  parseVectorStoreCreation,
  parseVectorStoreFile,
  parseVectorStoreFileUpdate,
  parseVectorStoreSearch,
  parseVectorStoreUpdate,
} from "../../src/shared/wire/vector-store-request.ts";

const { max_file_bytes: maxFileBytes } = retrievalPolicySchema.parse({});

/** Of the bodies that a route reads with more than its schema. */
const parsers: { readonly [Name in ComponentName]?: (body: string) => Result<unknown, Refusal> } = {
  BatchCreation: parseBatchCreation,
  ChatCompletionRequest: parseChatRequest,
  ChatCompletionUpdate: parseCompletionUpdate,
  CompletionRequest: parseCompletionRequest,
  ConversationCreation: parseConversationCreation,
  ConversationItemsCreation: parseConversationItems,
  ConversationUpdate: parseConversationUpdate,
  EmbeddingRequest: parseEmbeddingRequest,
  InputTokensRequest: parseInputTokensRequest,
  ModerationRequest: parseModerationRequest,
  ResponseRequest: parseResponseRequest,
  UploadCompletion: parseUploadCompletion,
  UploadCreation: (body) => parseUploadCreation(body, maxFileBytes),
  VectorStoreBatchCreation: parseVectorStoreBatch,
  VectorStoreCreation: parseVectorStoreCreation,
  VectorStoreFileCreation: parseVectorStoreFile,
  VectorStoreFileUpdate: parseVectorStoreFileUpdate,
  VectorStoreSearch: parseVectorStoreSearch,
  VectorStoreUpdate: parseVectorStoreUpdate,
};

const examples = publicRoutes.flatMap(({ method, path, request }) =>
  request === undefined ? [] : [{ method, path, ...request }],
);

test.each(examples)("$method $path takes its own example", ({ schema, example }) => {
  const parsed = componentSchemas[schema].safeParse(example);
  expect(parsed).toMatchObject({ success: true });
  const parse = parsers[schema];
  if (parse !== undefined) expect(parse(JSON.stringify(example))).toMatchObject({ ok: true });
});

test("examples name models that npm start has, so that they can be pasted", () => {
  const fleet = fleetSchema.parse(JSON.parse(readFileSync(`${root}config/fleet.dev.json`, "utf8")));
  const known = fleet.clusters.flatMap(({ models }) => models.map(({ id }) => id));
  const named = examples.flatMap(({ example }) => {
    const { model } = example as { readonly model?: string };
    return model === undefined ? [] : [model];
  });
  expect(named.length).toBeGreaterThan(4);
  const names = new Set([...known, ...Object.keys(fleet.aliases)]);
  expect(named.filter((model) => !names.has(model))).toEqual([]);
});

test("every JSON body of /v1 is read by its own parser here", () => {
  const unread = examples.filter(
    ({ path, mediaType, schema }) =>
      path.startsWith("/v1/") && mediaType === undefined && parsers[schema] === undefined,
  );
  expect(unread).toEqual([]);
});
