/** A tool that Edgewise runs itself: one port, and an adapter for each kind of tool. */
import type { Result } from "../contracts/result.ts";
import type { JsonObject } from "../wire/json-bounds.ts";

export interface ServerTool {
  readonly name: string;
  readonly description: string;
  /** JSON schema of its arguments, an object. */
  readonly parameters: JsonObject;
  /** How its calls are shown: `mcp_call`, OpenAI's item for what a server runs, or its own `web_search_call`. */
  readonly shown: ServerCallType;
  /** The call is idempotent: if its outcome was lost, it is made again. Otherwise the model is told that it may have happened. */
  readonly isRepeatable: boolean;
  readonly timeoutMs: number;
  /** @param args as the schema allows them. Must not throw for what a model, a tenant or a server elsewhere can cause */
  run(args: JsonObject, context: ToolContext): Promise<Result<ToolOutput, ToolFault>>;
}

export type ServerCallType = "mcp_call" | "web_search_call";

export interface ToolContext {
  /** Fires when the turn ends or the call's time is over. */
  readonly signal: AbortSignal;
}

export interface ToolOutput {
  /** What the model reads. Longer ones are cut. */
  readonly text: string;
  /** Passages with where they are from: the model reads these in place of `text`, numbered, and cites them. */
  readonly passages?: readonly Passage[];
}

export interface Passage {
  readonly url: string;
  readonly title: string;
  readonly text: string;
}

/** Why a call came to nothing. `detail` is in our words: what a server elsewhere said never stands in it. */
export type ToolFault =
  | { readonly kind: "arguments-invalid"; readonly detail: string }
  | { readonly kind: "refused"; readonly detail: string }
  | { readonly kind: "unavailable"; readonly detail: string }
  | { readonly kind: "too-large"; readonly detail: string }
  | { readonly kind: "timeout" }
  | { readonly kind: "outcome-unknown" }
  | { readonly kind: "too-many-calls" };

/** What the model and readers of the response are told of a failed call. */
export function faultText(fault: ToolFault): string {
  switch (fault.kind) {
    case "arguments-invalid":
      return `The arguments are wrong: ${fault.detail}.`;
    case "refused":
      return `The call was refused: ${fault.detail}.`;
    case "unavailable":
      return `The tool gave no answer: ${fault.detail}.`;
    case "too-large":
      return `The answer is too large: ${fault.detail}.`;
    case "timeout":
      return "The tool took too long and was stopped.";
    case "outcome-unknown":
      return "The call was interrupted. It may have taken effect; its result is lost. It was not made again.";
    case "too-many-calls":
      return "No more calls are allowed in this answer. Answer with what you have.";
  }
}
