/** The tools of one turn, and what happens around each call. A port: the loop (turn/durable/tool-rounds.ts) knows no more than this. */
import type { Result } from "../contracts/result.ts";
import type { ServerTool, ToolFault, ToolOutput } from "./server-tool.ts";
import type { ScreenResults } from "./web-search/screen-results.ts";

export interface ToolBox {
  readonly tools: ReadonlyMap<string, ServerTool>;
  /** Of a result, as the model reads it: the tenant's policy. */
  readonly mostCharacters: number;
  /** Never rejects. */
  call(tool: ServerTool, argumentsText: string, signal: AbortSignal): Promise<Result<ToolOutput, ToolFault>>;
  /** The text as the tenant's safety rules let a model read it; `null`: they do not. */
  screened(text: string): Promise<string | null>;
  /** The same of what a search found: those that may be read. */
  readonly results: ScreenResults;
  /** The part of a result that a client may see, by the tenant's policy for answers. */
  shown(text: string): string;
  /** So much of it as the model is to read. @param most in characters; absent: as the tenant's policy says */
  cut(text: string, most?: number): string;
}
