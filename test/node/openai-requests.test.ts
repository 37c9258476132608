/**
 * What becomes of each thing that OpenAI's own description lets a client send? The description is walked (openai-samples.ts): a
 * property, a value or a kind that the next one brings is neither taken nor refused by name here, and fails until somebody decides.
 */
import { describe, expect, test } from "vitest";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import type { Result } from "../../src/shared/contracts/result.ts";
import { parseBatchCreation } from "../../src/shared/wire/batch-request.ts";
import { parseChatRequest } from "../../src/shared/wire/chat-request.ts";
import { parseCompletionRequest } from "../../src/shared/wire/completions-request.ts";
import {
  parseConversationCreation,
  parseConversationUpdate,
} from "../../src/shared/wire/conversation-request.ts";
import { parseEmbeddingRequest } from "../../src/shared/wire/embeddings-request.ts";
import { parseInputTokensRequest } from "../../src/shared/wire/input-tokens-request.ts";
import { parseModerationRequest } from "../../src/shared/wire/moderations-request.ts";
import { parseUploadCompletion, parseUploadCreation } from "../../src/shared/wire/parted-upload-request.ts";
import { parseResponseRequest } from "../../src/shared/wire/responses-request.ts";
import {
  parseVectorStoreBatch,
  parseVectorStoreCreation,
  parseVectorStoreFile,
  parseVectorStoreFileUpdate,
  parseVectorStoreSearch,
  parseVectorStoreUpdate,
} from "../../src/shared/wire/vector-store-request.ts";
import { publicRoutes } from "../../src/shared/wire/routes.ts";
import { samplesOf } from "./openai-samples.ts";
import { hasOpenAiSchema, openAiOperations } from "./openai-schema.ts";
import {
  type Body,
  known,
  whole,
  wholeChat,
  wholeConversation,
  wholeResponse,
  wholeStream,
} from "./whole-samples.ts";

interface Case {
  readonly schema: string;
  readonly parse: (body: string) => Result<unknown, Refusal>;
  /** So many at least: else the walk has lost its way. */
  readonly least: number;
  readonly complete?: (body: Body) => Body;
  /** What is refused by name: the field, and of a kind which. */
  readonly refused?: readonly string[];
  /** What is refused as a wrong value, since what may be sent is less here: by `Sample.shows`, or its beginning. */
  readonly narrower?: readonly string[];
}

const refusedTools = [
  "apply_patch",
  "code_interpreter",
  "computer",
  "computer_use_preview",
  "custom",
  "image_generation",
  "local_shell",
  "mcp",
  "programmatic_tool_calling",
  "shell",
  "tool_search",
]
  .map((kind) => `tools[].type=${kind}`)
  .concat("tools[].tools[].type=custom");

const refusedOfFunctions = ["allowed_callers", "defer_loading", "output_schema"].flatMap((field) => [
  `tools[].${field}`,
  `tools[].tools[].${field}`,
]);

const refusedChoices = [
  "apply_patch",
  "code_interpreter",
  "computer",
  "computer_use",
  "computer_use_preview",
  "custom",
  "image_generation",
  "mcp",
  "programmatic_tool_calling",
  "shell",
  "web_search_preview",
  "web_search_preview_2025_03_11",
].map((kind) => `tool_choice.type=${kind}`);

const refusedItems = [
  "additional_tools",
  "apply_patch_call",
  "apply_patch_call_output",
  "code_interpreter_call",
  "compaction",
  "compaction_trigger",
  "computer_call",
  "computer_call_output",
  "custom_tool_call",
  "custom_tool_call_output",
  "image_generation_call",
  "local_shell_call",
  "local_shell_call_output",
  "mcp_approval_request",
  "mcp_approval_response",
  "mcp_list_tools",
  "program",
  "program_output",
  "shell_call",
  "shell_call_output",
  "tool_search_call",
  "tool_search_output",
];

function ofItems(list: string, kinds: readonly string[]): readonly string[] {
  return [
    ...kinds.map((kind) => `${list}[].type=${kind}`),
    // What a function gave back is text and pictures here.
    `${list}[].output[].type=input_file`,
    `${list}[].output[].file_id`,
    `${list}[].content[].file_id`,
    `${list}[].content[].file_url`,
  ];
}

const cases: readonly Case[] = [
  {
    schema: "CreateChatCompletionRequest",
    parse: parseChatRequest,
    least: 150,
    complete: wholeChat,
    refused: [
      "audio",
      "function_call",
      "functions",
      "messages[].audio",
      "messages[].function_call",
      "messages[].role=function",
      "messages[].tool_calls[].type=custom",
      "modalities",
      "moderation",
      "tool_choice.type=custom",
      "tools[].type=custom",
      "web_search_options",
    ],
  },
  {
    schema: "CreateResponse",
    parse: parseResponseRequest,
    least: 1000,
    complete: wholeResponse,
    refused: [
      "context_management",
      "moderation",
      "prompt",
      ...refusedTools,
      ...refusedOfFunctions,
      ...refusedChoices,
      ...ofItems("input", refusedItems),
    ],
  },
  {
    schema: "TokenCountsBody",
    parse: parseInputTokensRequest,
    least: 1000,
    complete: wholeResponse,
    refused: [...refusedTools, ...refusedOfFunctions, ...refusedChoices, ...ofItems("input", refusedItems)],
  },
  {
    schema: "CreateConversationBody",
    parse: parseConversationCreation,
    least: 100,
    complete: wholeConversation,
    refused: [
      "items[].role=developer",
      "items[].role=system",
      "items[].type=item_reference",
      // OpenAI's also have it without its type.
      "items[].type=null",
      "items[].type=undefined",
      ...ofItems("items", refusedItems),
    ],
  },
  { schema: "UpdateConversationBody", parse: parseConversationUpdate, least: 1 },
  {
    schema: "CreateCompletionRequest",
    parse: parseCompletionRequest,
    least: 15,
    complete: wholeStream,
    refused: ["suffix"],
    narrower: ["prompt[]", "max_tokens"],
  },
  { schema: "CreateEmbeddingRequest", parse: parseEmbeddingRequest, least: 5 },
  {
    schema: "CreateModerationRequest",
    parse: parseModerationRequest,
    least: 2,
    narrower: ["input[](image_url)"],
  },
  { schema: "CreateVectorStoreRequest", parse: parseVectorStoreCreation, least: 6 },
  { schema: "UpdateVectorStoreRequest", parse: parseVectorStoreUpdate, least: 3 },
  { schema: "CreateVectorStoreFileRequest", parse: parseVectorStoreFile, least: 3 },
  {
    schema: "CreateVectorStoreFileBatchRequest",
    parse: parseVectorStoreBatch,
    least: 4,
    complete: (body) => ((body["files"] ?? null) === null ? { ...body, file_ids: ["x"] } : body),
  },
  { schema: "UpdateVectorStoreFileAttributesRequest", parse: parseVectorStoreFileUpdate, least: 1 },
  { schema: "VectorStoreSearchRequest", parse: parseVectorStoreSearch, least: 5 },
  {
    schema: "CreateBatchRequest",
    parse: parseBatchCreation,
    least: 5,
    narrower: [
      "embeddings",
      "completions",
      "moderations",
      "images/generations",
      "images/edits",
      "videos",
    ].map((endpoint) => `endpoint=/v1/${endpoint}`),
  },
  {
    schema: "CreateUploadRequest",
    parse: (body) => parseUploadCreation(body, 1_000_000),
    least: 5,
    narrower: ["purpose=fine-tune", "purpose=vision"],
  },
  {
    schema: "CompleteUploadRequest",
    parse: parseUploadCompletion,
    least: 2,
    // A checksum's form is in its description alone.
    complete: (body) => ("md5" in body ? { ...body, md5: "0".repeat(32) } : body),
  },
];

describe.skipIf(!hasOpenAiSchema)("OpenAI's published description", () => {
  test.each(cases)("all that $schema may hold is taken, or refused by name", (one) => {
    const samples = samplesOf(one.schema, known);
    expect(samples.length).toBeGreaterThanOrEqual(one.least);
    const refused = new Set<string>();
    const undecided: string[] = [];
    for (const { shows, value } of samples) {
      const body = whole(value) as Body;
      const sent = one.complete?.(body) ?? body;
      const read = one.parse(JSON.stringify(sent));
      if (read.ok) continue;
      if (read.error.kind === "parameter-unsupported") refused.add(nameOf(read.error.param, sent));
      else if (one.narrower?.some((known) => shows.startsWith(known)) !== true)
        undecided.push(`${shows}: ${JSON.stringify(read.error)}`);
    }
    expect(undecided).toEqual([]);
    expect([...refused].sort()).toEqual([...(one.refused ?? [])].sort());
  });
});

/** Of the families that are here, what is not. Others (images, audio, assistants, …) are not offered at all. */
const notOffered = ["DELETE /v1/models/{}", "POST /v1/responses/compact"];

const families =
  /^\w+ \/v1\/(?:batches|chat|completions|conversations|embeddings|files|models|moderations|responses|uploads|vector_stores)(?:\/|$)/;

describe.skipIf(!hasOpenAiSchema)("the routes of OpenAI's published description", () => {
  const theirs = [...openAiOperations()].filter(
    // What is in beta is the same routes once more.
    ([operation]) => families.test(operation) && !operation.includes("?"),
  );
  const ours = new Map(
    publicRoutes.map(({ method, path, queryParameters }) => [
      `${method} ${path.replace(/\{\w+\}/g, "{}")}`,
      Object.keys(queryParameters ?? {}),
    ]),
  );

  test("are here, or known not to be", () => {
    expect(theirs.length).toBeGreaterThan(50);
    const missing = theirs.map(([operation]) => operation).filter((operation) => !ours.has(operation));
    expect(missing.sort()).toEqual(notOffered);
  });

  test("have all that their queries may hold", () => {
    const missing = theirs.flatMap(([operation, parameters]) => {
      const known = ours.get(operation);
      if (known === undefined) return [];
      return parameters.filter((name) => !known.includes(name)).map((name) => `${operation} ${name}`);
    });
    expect(missing).toEqual([]);
  });
});

/** `tools[0].type` → `tools[].type=mcp`. */
function nameOf(param: string, body: Body): string {
  const field = param.replace(/\[\d+\]/g, "[]");
  if (!/\.(?:type|role)$/.test(field)) return field;
  const steps = param.split(/[.[\]]+/);
  const value = steps.reduce<unknown>((here, step) => (here as Body | undefined)?.[step], body);
  return `${field}=${String(value)}`;
}
