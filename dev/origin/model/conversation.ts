/** The stand-in model's input: a chat in the engine's terms, from either route. */
export type JsonSchema = Readonly<Record<string, unknown>> | boolean;

export interface Turn {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly text: string;
  readonly calls: readonly ToolCall[];
  /** URLs of images and the like, as sent. The stand-in never fetches one. */
  readonly media: readonly string[];
}

export interface ToolCall {
  readonly name: string;
  readonly arguments: unknown;
}

export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonSchema | undefined;
}

export type ToolChoice =
  | { readonly kind: "auto" | "none" | "required" }
  | { readonly kind: "named"; readonly name: string };

export type OutputFormat =
  | { readonly kind: "text" }
  | { readonly kind: "json"; readonly schema: JsonSchema }
  | { readonly kind: "choice"; readonly choices: readonly string[] }
  /** A regular expression that the whole answer must match. */
  | { readonly kind: "pattern"; readonly pattern: RegExp };

export interface Conversation {
  readonly model: string;
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice;
  readonly format: OutputFormat;
  /** Whether the model shows its reasoning first. */
  readonly reasoning: boolean;
  /** Whether an answer may have several calls: Llama's parser and template accept one at a time. */
  readonly parallelCalls: boolean;
}

/** The model's intended answer, before tokens, stops and limits. */
export interface Reply {
  readonly reasoning: string;
  readonly content: string;
  readonly calls: readonly ToolCall[];
}
