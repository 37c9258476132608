import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { barTokens, tokensIn } from "../../src/shared/prompt/control-tokens-fixture.ts";
import { tokenFamilyOf } from "../../src/shared/prompt/control-tokens.ts";
import { type ComposedPrompt, composePrompt, type ComposeTerms } from "../../src/shared/prompt/compose.ts";
import type { FoundPassage } from "../../src/shared/retrieval/passage.ts";
import { askedResponse } from "../../src/shared/responses/asked-response.ts";
import { chatOf } from "../../src/shared/responses/to-chat.ts";
import { takenResponse } from "../../src/shared/wire/responses-request-fixture.ts";
import { modelRecord } from "../../src/shared/routing/fleet/model-record-fixture.ts";
import { askedCompletion } from "../../src/shared/turn/asked-completion.ts";
import { refusedChatFields } from "../../src/shared/wire/chat-fields.ts";
import { type ChatRequest, parseChatRequest } from "../../src/shared/wire/chat-request.ts";
import { parseCompletionRequest } from "../../src/shared/wire/completions-request.ts";
import { argumentsOf, at, chatBody, schemaOf, texts, word } from "./hostile-chat-body.ts";

/**
 * What reaches an engine when a request holds pieces of control tokens wherever a client may write: nothing that a tokenizer reads holds a
 * token, no field steers the engine, and the length is set.
 */
const timeout = 120_000;
const numRuns = 300;

const llama = {
  id: "llama-3.1-8b",
  served_name: "meta-llama/Llama-3.1-8B-Instruct",
  context_window: 1_000_000,
  max_output_tokens: 4_096,
  template: "llama-3.1",
  capabilities: ["chat", "completions"],
};
const house = { ...llama, id: "house", served_name: "house", template: undefined };
const models = {
  "by chat": modelRecord({ ...llama, api: "chat" }),
  "by completions": modelRecord({ ...llama, api: "completions" }),
  "by chat, of no family that is known": modelRecord({ ...house, api: "chat" }),
};
type Way = keyof typeof models;
const ways = Object.keys(models) as Way[];

/** What steers the choice of tokens, and is compared with the answer: no tokenizer reads it as a prompt. */
const neverRead: ReadonlySet<string> = new Set(["stop", "bad_words"]);
const told: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "prompt",
  "max_tokens",
  "stop",
  "stop_token_ids",
  "add_special_tokens",
  "stream",
  "stream_options",
  "cache_salt",
  "tools",
  "tool_choice",
  "response_format",
  "structured_outputs",
  "bad_words",
  "temperature",
  "n",
]);

const passage = (text: string, filename: string): FoundPassage => ({
  fileId: "file-1",
  filename,
  attributes: {},
  ordinal: 0,
  text,
  start: 0,
  end: text.length,
  score: 1,
  headings: [text],
});

const terms = (way: Way, [text, name]: readonly [string, string], history: ComposeTerms["history"] = []) => ({
  history,
  defaultSystemPrompt: null,
  model: models[way],
  estimateRatio: 1,
  stream: true,
  cacheSalt: "ours",
  affinitySeed: null,
  spotlight: null,
  passages: [passage(text, name)],
});

function chatOfBody(body: object): ChatRequest {
  const parsed = parseChatRequest(JSON.stringify(body));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

const blocksOf = (prompt: string): number => prompt.split("<|eot_id|>").length - 1;

/** @param blocks messages of the prompt, where it is rendered here */
function expectClean(way: Way, { body, path, maxTokens }: ComposedPrompt, blocks: number | null): void {
  const model = models[way];
  const sent = JSON.parse(body) as Record<string, unknown>;
  expect(Object.keys(sent).filter((field) => !told.has(field))).toEqual([]);
  expect(sent["model"]).toBe(model.served_name);
  expect(sent["cache_salt"]).toBe("ours");
  expect(sent["max_tokens"]).toBeTypeOf("number");
  expect(maxTokens).toBeLessThanOrEqual(4_096);
  const tokens = tokenFamilyOf(model) === "bars" ? barTokens : undefined;
  const isRendered = path === "/v1/completions" && blocks !== null;
  const walk = (value: unknown, field: string): void => {
    if (typeof value === "string") {
      // Templates trim, and join what stands side by side.
      for (const text of [value, value.trim()]) expect([field, tokensIn(text, tokens)]).toEqual([field, []]);
      if (field.endsWith(".arguments")) walk(JSON.parse(value) as unknown, `${field}, decoded`);
    } else if (Array.isArray(value)) {
      for (const one of value as readonly unknown[]) walk(one, field);
      const parts = (value as readonly { readonly text?: unknown }[]).map(({ text }) => text);
      if (parts.every((text) => typeof text === "string")) walk(parts.join(""), `${field}, joined`);
    } else if (typeof value === "object" && value !== null)
      for (const [key, one] of Object.entries(value)) {
        walk(key, `${field}, a key`);
        walk(one, `${field}.${key}`);
      }
  };
  for (const [field, value] of Object.entries(sent))
    if (!neverRead.has(field) && !(isRendered && field === "prompt")) walk(value, field);
  if (!isRendered) return;
  const prompt = String(sent["prompt"]);
  expect(prompt.split("<|begin_of_text|>")).toHaveLength(2);
  expect(blocksOf(prompt)).toBe(blocks);
  const framed = prompt
    .replaceAll(/<\|start_header_id\|>(?:system|user|assistant)<\|end_header_id\|>/g, "")
    .replaceAll("<|eot_id|>", "")
    .replace("<|begin_of_text|>", "");
  expect(tokensIn(framed, tokens)).toEqual([]);
}

function composed(result: ReturnType<typeof composePrompt>): ComposedPrompt {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

describe.each(ways)("%s", { timeout }, (way) => {
  const plain = way === "by completions";

  test("a chat with its history, files and passages holds no control token of a client's", () => {
    fc.assert(
      fc.property(texts, texts, (from, other) => {
        const chat = chatOfBody(chatBody(from, plain));
        const file = {
          type: "file_text",
          filename: at(other, 0),
          texts: [at(other, 1), at(other, 2)],
          has_pages: true,
        };
        const request = {
          ...chat,
          messages: [...chat.messages, { role: "user", content: [file] }],
        } as ChatRequest;
        const { messages } = chatOfBody(chatBody(other, plain));
        const history = messages.slice(1) as ComposeTerms["history"];
        const result = composePrompt({ request, ...terms(way, [at(other, 3), at(other, 4)], history) });
        // Instructions and four messages, the last of them with a file behind it, and three of the history.
        expectClean(way, composed(result), 8);
      }),
      { numRuns },
    );
  });

  test("a response with instructions, calls and their results holds none", () => {
    fc.assert(
      fc.property(texts, (from) => {
        const { text, ...request } = {
          model: "auto",
          instructions: word(from, 0),
          input: [
            { role: "user", content: [{ type: "input_text", text: word(from, 1) }] },
            { role: "assistant", content: [{ type: "output_text", text: word(from, 2) }] },
            ...(plain
              ? []
              : [
                  {
                    type: "function_call",
                    call_id: "c1",
                    name: "add",
                    arguments: argumentsOf(at(from, 3), at(from, 4)),
                  },
                  { type: "function_call_output", call_id: "c1", output: word(from, 5) },
                ]),
            { role: "user", content: word(from, 6) },
          ],
          metadata: { a: at(from, 7) },
          max_output_tokens: 50,
          text: {
            format: { type: "json_schema", name: "answer", description: at(from, 8), schema: schemaOf(from) },
          },
          ...(!plain && {
            tools: [
              {
                type: "function",
                name: "add",
                description: at(from, 9),
                parameters: schemaOf(from),
                strict: false,
              },
            ],
          }),
        };
        const chat = chatOf(takenResponse({ ...request, text }));
        const asked = askedResponse(chat, { truncates: false, ancestors: [] });
        const result = asked.compose(terms(way, [at(from, 10), at(from, 11)]));
        if (!result.ok) throw new Error(JSON.stringify(result.error));
        expectClean(way, result.value, 4);
      }),
      { numRuns },
    );
  });

  test("a plain completion holds none, framed by its client", () => {
    fc.assert(
      fc.property(texts, (from) => {
        const body = {
          model: "auto",
          prompt: [word(from, 0), word(from, 1)],
          user: word(from, 2),
          stop: [word(from, 3)],
        };
        const parsed = parseCompletionRequest(JSON.stringify(body));
        if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
        const result = askedCompletion(parsed.value).compose(terms(way, ["", ""]));
        if (!result.ok) throw new Error(JSON.stringify(result.error));
        expectClean(way, result.value, null);
      }),
      { numRuns },
    );
  });
});

test.each(Object.keys(refusedChatFields))("'%s' is taken from no client, by neither route", (field) => {
  const chat = { model: "auto", messages: [{ role: "user", content: "Hi" }], [field]: "x" };
  expect(parseChatRequest(JSON.stringify(chat)).ok).toBe(false);
  const own = ["prompt", "echo", "add_special_tokens", "best_of"];
  if (own.includes(field)) return;
  const plain = { model: "auto", prompt: "Hi", [field]: "x" };
  expect(parseCompletionRequest(JSON.stringify(plain)).ok).toBe(false);
});
