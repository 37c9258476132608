/**
 * The bounds of a request. One table: what each bounds, and what would happen without it. The request line's and the
 * headers' are refused with 414 and 431, the body's bytes with 413, all others with 400 and `param`; never by a failure
 * further down. request-limits.test.ts sends something hostile at every one.
 */
export const requestLimits = {
  /** Path and query. Ours are short; every rule of the firewall reads them whole. */
  urlCharacters: 8192,
  /** Headers of one request, by name. The platform's own bound is their bytes alone; many small ones are work for whoever walks them. */
  headers: 128,
  /** Names and values together, in characters. Cloudflare takes 128 KB; the longest honest one is a token of 8 KB. */
  headerCharacters: 32_768,
  /** Bytes of a body where a tenant says nothing. A prompt of half a million tokens. */
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
  /** Files of one request. Each may be a document to be taken apart, or one to be asked for. */
  fileParts: 32,
  /** As of uploaded files. */
  filenameCharacters: 255,
  /** Calls in one assistant message. */
  toolCallsPerMessage: 128,
  /** Tools of one request. OpenAI's bound for functions; every one is prompt. */
  tools: 128,
  /** OpenAI: names of tools and speakers. */
  nameCharacters: 64,
  /** Characters of an id that a client repeats to us. */
  idCharacters: 256,
  descriptionCharacters: 65_536,
  /** JSON levels of a schema or of a call's arguments. Engines walk both recursively; Python gives up near 1,000. */
  jsonDepth: 64,
  /** Values in one schema. A grammar compiler's time grows faster than its input. OpenAI: 5,000 properties. */
  jsonNodes: 20_000,
  /** Characters of keys and strings in one schema. OpenAI: 120,000. */
  jsonCharacters: 131_072,
  /** One `regex` (structured output). A regular expression's automaton can be exponential in it. */
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
  /** Largest max_tokens that is taken as a number at all; the model's window decides later. */
  maxTokens: 10_000_000,
  /** /v1/completions and /v1/embeddings. OpenAI's bound for embeddings. */
  inputs: 2048,
  /** Texts of one /v1/moderations request. */
  moderationInputs: 256,
  /** All of them together: some 50 ms of the classifier. */
  moderationCharacters: 100_000,
  /** Prompts of one /v1/completions request, each of which is a generation. */
  prompts: 16,
  /** Token ids of one input given as numbers. */
  inputTokenIds: 1_000_000,
} as const;
