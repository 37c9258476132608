import { describe, expect, test } from "vitest";
import { targetFault, targetOf } from "../firewall/request-target.ts";
import { tenantConfigSchema } from "../tenancy/tenant-config.ts";
import { parseChatRequest } from "./chat-request.ts";
import { parseCompletionRequest } from "./completions-request.ts";
import { parseEmbeddingRequest } from "./embeddings-request.ts";
import { parseModerationRequest } from "./moderations-request.ts";
import { requestLimits } from "./request-limits.ts";

/** One hostile request for every bound: the largest that passes, and one more. A new bound without a row does not compile. */
type Limit = keyof typeof requestLimits;

/** Does a request of this size pass? */
type Probe = (size: number) => boolean;

const user = { role: "user", content: "Hello" };

function chat(fields: Record<string, unknown>): boolean {
  return parseChatRequest(JSON.stringify({ model: "auto", messages: [user], ...fields })).ok;
}

function message(fields: Record<string, unknown>): boolean {
  return chat({ messages: [{ ...user, ...fields }] });
}

function completion(fields: Record<string, unknown>): boolean {
  return parseCompletionRequest(JSON.stringify({ model: "auto", prompt: "a", ...fields })).ok;
}

function embedding(fields: Record<string, unknown>): boolean {
  return parseEmbeddingRequest(JSON.stringify({ model: "auto", input: "a", ...fields })).ok;
}

function moderated(input: readonly string[]): boolean {
  return parseModerationRequest(JSON.stringify({ input })).ok;
}

function some<T>(count: number, make: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => make(at));
}

function file(filename: string) {
  return { type: "file", file: { filename, file_data: "YQ==" } };
}

function tool(name: string, parameters: unknown = { type: "object" }, description = "") {
  return { type: "function", function: { name, description, parameters } };
}

function called(count: number): boolean {
  const calls = some(count, (at) => ({
    id: `call_${at}`,
    type: "function",
    function: { name: "add", arguments: "{}" },
  }));
  const results = calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: "1" }));
  return chat({ messages: [user, { role: "assistant", tool_calls: calls }, ...results] });
}

/** Objects nested to this depth. */
function nested(depth: number): string {
  return `${'{"a":'.repeat(depth - 1)}{}${"}".repeat(depth - 1)}`;
}

function schemaBody(parametersText: string): boolean {
  const body = JSON.stringify({ model: "auto", messages: [user], tools: [tool("add", "PARAMETERS")] });
  return parseChatRequest(body.replace('"PARAMETERS"', parametersText)).ok;
}

function url(size: number): boolean {
  return targetFault(targetOf(`https://a.example/${"a".repeat(size - 1)}`)) === null;
}

function image() {
  return { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } };
}

function bodyBytes(max_body_bytes: number): boolean {
  const issuer = {
    issuer: "i",
    audience: "a",
    algorithms: ["HS256"],
    keys: { type: "secret", name: "A_SECRET" },
  };
  return tenantConfigSchema.safeParse({ id: "a", issuers: [issuer], requests: { max_body_bytes } }).success;
}

/** For bounds on the message around the body, which workers/edge/door.test.ts tests. */
const elsewhere = null;

const probes: Readonly<Record<Limit, Probe | null>> = {
  urlCharacters: url,
  headers: elsewhere,
  headerCharacters: elsewhere,
  bodyBytes: elsewhere,
  mostBodyBytes: bodyBytes,
  messages: (size) => chat({ messages: some(size, () => user) }),
  partsPerMessage: (size) => message({ content: some(size, () => ({ type: "text", text: "a" })) }),
  contentCharacters: (size) => message({ content: "a".repeat(size) }),
  mediaParts: (size) => message({ content: some(size, image) }),
  fileParts: (size) => message({ content: some(size, () => file("a.txt")) }),
  filenameCharacters: (size) => message({ content: [file("a".repeat(size))] }),
  toolCallsPerMessage: called,
  tools: (size) => chat({ tools: some(size, (at) => tool(`t${at}`)) }),
  nameCharacters: (size) => chat({ tools: [tool("a".repeat(size))] }),
  idCharacters: (size) =>
    chat({
      messages: [
        user,
        {
          role: "assistant",
          tool_calls: [
            { id: "a".repeat(size), type: "function", function: { name: "add", arguments: "{}" } },
          ],
        },
        { role: "tool", tool_call_id: "a".repeat(size), content: "1" },
      ],
    }),
  descriptionCharacters: (size) => chat({ tools: [tool("add", { type: "object" }, "a".repeat(size))] }),
  jsonDepth: (size) => schemaBody(nested(size)),
  jsonNodes: (size) => schemaBody(`{"enum":[${some(size - 2, () => "1").join(",")}]}`),
  jsonCharacters: (size) => schemaBody(`{"a":"${"a".repeat(size - 1)}"}`),
  regexCharacters: (size) => chat({ structured_outputs: { regex: "a".repeat(size) } }),
  grammarCharacters: (size) => chat({ structured_outputs: { grammar: "a".repeat(size) } }),
  choices: (size) => chat({ structured_outputs: { choice: some(size, (at) => `c${at}`) } }),
  answers: (size) => chat({ n: size }),
  stops: (size) => chat({ stop: some(size, (at) => `s${at}`) }),
  stopCharacters: (size) => chat({ stop: "a".repeat(size) }),
  tokenIds: (size) => chat({ stop_token_ids: some(size, (at) => at) }),
  topLogprobs: (size) => chat({ logprobs: true, top_logprobs: size }),
  badWords: (size) => chat({ bad_words: some(size, (at) => `w${at}`) }),
  metadataPairs: (size) => chat({ metadata: Object.fromEntries(some(size, (at) => [`k${at}`, "v"])) }),
  metadataKeyCharacters: (size) => chat({ metadata: { ["k".repeat(size)]: "v" } }),
  metadataValueCharacters: (size) => chat({ metadata: { k: "v".repeat(size) } }),
  maxTokens: (size) => chat({ max_tokens: size }),
  inputs: (size) => embedding({ input: some(size, () => "a") }),
  moderationInputs: (size) => moderated(some(size, () => "a")),
  moderationCharacters: (size) => moderated(["a".repeat(size - 1), "a"]),
  prompts: (size) => completion({ prompt: some(size, () => "a") }),
  inputTokenIds: (size) => embedding({ input: some(size, () => 1) }),
};

describe("at its bound a request passes, one above it is refused", () => {
  test.each(
    Object.entries(probes).flatMap(([name, probe]) =>
      probe === null ? [] : [[name as Limit, probe] as const],
    ),
  )("%s", (name, probe) => {
    const limit = requestLimits[name];
    expect([name, probe(limit), probe(limit + 1)]).toEqual([name, true, false]);
  });
});

describe("bodies that are made to break a parser", () => {
  test.each([
    ["a million open brackets", "[".repeat(1_000_000)],
    ["a million levels, closed", "[".repeat(1_000_000) + "]".repeat(1_000_000)],
    ["a million levels in a field", `{"messages":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}`],
    ["a prototype", '{"__proto__":{"admin":true},"model":"auto","messages":[]}'],
    ["a number without end", `{"model":"auto","messages":[],"max_tokens":${"9".repeat(100_000)}}`],
    ["a hundred thousand fields", JSON.stringify(Object.fromEntries(some(100_000, (at) => [`f${at}`, 1])))],
    ["nothing", ""],
    ["half a character", '{"model":"auto","messages":[{"role":"user","content":"\\ud800"}]}'],
  ])("%s is refused, not thrown", (_, body) => {
    for (const parse of [parseChatRequest, parseCompletionRequest, parseEmbeddingRequest])
      expect(parse(body).ok).toBe(false);
  });
});
