/** The tools of one turn, and what is to be done around each of their calls. A port: the loop (turn/durable/tool-rounds.ts) knows no more. */
import type { Result } from "../contracts/result.ts";
import type { ServerTool, ToolFault, ToolOutput } from "./server-tool.ts";

export interface ToolBox {
  readonly tools: ReadonlyMap<string, ServerTool>;
  /** Never rejects. */
  call(tool: ServerTool, argumentsText: string, signal: AbortSignal): Promise<Result<ToolOutput, ToolFault>>;
  /** The text as the tenant's safety rules let a model read it; `null`: they do not. */
  screened(text: string): Promise<string | null>;
  /** So much of it as the model is to read. @param most in characters; absent: as the tenant's policy says */
  cut(text: string, most?: number): string;
}
