/**
 * The bounds of a request. One table: what each bounds, and what would happen without it. A request line over its bound gets
 * 414, headers 431, a body's bytes 413, everything else 400 with `param`; nothing fails only further down.
 * request-limits.test.ts sends something hostile to every bound.
 */
export const requestLimits = {
  /** Path and query. Ours are short, and every firewall rule reads all of them. */
  urlCharacters: 8192,
  /** Header names of one request. The platform only bounds their bytes, but many small ones cost time in every loop over them. */
  headers: 128,
  /** Names and values together, in characters. Cloudflare accepts 128 KB; the longest legitimate one is a token of 8 KB. */
  headerCharacters: 32_768,
  /** Bytes of a body unless the tenant sets another bound. A prompt of half a million tokens. */
  bodyBytes: 2_097_152,
  /** The most that a tenant may allow: an isolate has 128 MB for all its requests, and parsing takes a multiple. */
  mostBodyBytes: 33_554_432,
  /** Messages of one request. OpenAI's own bound; templates and sequence rules are linear in it. */
  messages: 2048,
  /** Parts of one message. Each becomes an object in three programs. */
  partsPerMessage: 256,
  /** UTF-16 units of one string of content. OpenAI's own bound; the body limit is usually nearer. */
  contentCharacters: 10_485_760,
  /** Media of one request. Each is decoded and encoded on the GPU before the first token. */
  mediaParts: 32,
  /** Files of one request. Each may be a document to parse, or one to fetch. */
  fileParts: 32,
  /** The same as for uploaded files. */
  filenameCharacters: 255,
  /** Calls in one assistant message. */
  toolCallsPerMessage: 128,
  /** Tools of one request. OpenAI's bound for functions; each adds to the prompt. */
  tools: 128,
  /** OpenAI: names of tools and speakers. */
  nameCharacters: 64,
  /** Characters of an id that a client repeats to us. */
  idCharacters: 256,
  descriptionCharacters: 65_536,
  /** JSON levels of a schema or of a call's arguments. Engines traverse both recursively; Python fails near 1,000. */
  jsonDepth: 64,
  /** Values in one schema. A grammar compiler's time grows faster than its input. OpenAI: 5,000 properties. */
  jsonNodes: 20_000,
  /** Characters of keys and strings in one schema. OpenAI: 120,000. */
  jsonCharacters: 131_072,
  /** One `regex` (structured output). Its automaton can be exponentially larger. */
  regexCharacters: 2048,
  /** One context-free grammar. */
  grammarCharacters: 32_768,
  /** Alternatives of `structured_outputs.choice`. */
  choices: 1024,
  /** Answers to one prompt. Each occupies a slot of the engine; the tokens of all are reserved. */
  answers: 16,
  /** Stop sequences, as OpenAI has it. Each is searched in every token's text. */
  stops: 4,
  stopCharacters: 1024,
  /** Entries of logit_bias, allowed_token_ids and stop_token_ids. Each is a row in a tensor per step. */
  tokenIds: 1024,
  /** OpenAI: alternatives per token. */
  topLogprobs: 20,
  badWords: 128,
  /** OpenAI: metadata. */
  metadataPairs: 16,
  metadataKeyCharacters: 64,
  metadataValueCharacters: 512,
  /** The largest max_tokens accepted as a number; the model's window decides later. */
  maxTokens: 10_000_000,
  /** /v1/completions and /v1/embeddings. OpenAI's bound for embeddings. */
  inputs: 2048,
  /** Texts of one /v1/moderations request. */
  moderationInputs: 256,
  /** All of them together: about 50 ms of the classifier. */
  moderationCharacters: 100_000,
  /** Prompts of one /v1/completions request, each of which is a generation. */
  prompts: 16,
  /** Token ids of one input given as numbers. */
  inputTokenIds: 1_000_000,
} as const;
