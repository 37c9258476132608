/** What does a line of a batch's output or error file say? In OpenAI's form. */
import type { BatchTally } from "../contracts/batch.ts";
import { readEngineUsage } from "../stream/wire-usage.ts";
import { isRecord } from "../wire/is-record.ts";

/** A request that was answered, be it by an error. */
export interface AnsweredLine {
  readonly statusCode: number;
  readonly requestId: string;
  /** JSON. */
  readonly body: string;
}

/** Which of the two files it belongs to. */
export type ResultKind = "output" | "error";

export function kindOf({ statusCode }: Pick<AnsweredLine, "statusCode">): ResultKind {
  return statusCode < 400 ? "output" : "error";
}

/** With its newline. The body stands in it as it came: it is not parsed for that. */
export function answeredText(id: string, customId: string, answered: AnsweredLine): string {
  const { statusCode, requestId, body } = answered;
  return `{"id":${JSON.stringify(id)},"custom_id":${JSON.stringify(customId)},"response":{"status_code":${statusCode},"request_id":${JSON.stringify(requestId)},"body":${body}},"error":null}\n`;
}

const unexecuted = {
  expired: {
    code: "batch_expired",
    message: "This request could not be executed before the completion window expired.",
  },
  cancelled: { code: "batch_cancelled", message: "This request was not executed: the batch was cancelled." },
  failed: { code: "batch_failed", message: "This request was not executed: the batch failed before." },
} as const;

/** Of a request that never began. */
export function unexecutedText(id: string, customId: string, why: keyof typeof unexecuted): string {
  return `${JSON.stringify({ id, custom_id: customId, response: null, error: unexecuted[why] })}\n`;
}

export const noTally: BatchTally = {
  completed: 0,
  failed: 0,
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
};

/** What an answered line adds to its batch's counts. */
export function tallyOf(answered: AnsweredLine): BatchTally {
  if (kindOf(answered) === "error") return { ...noTally, failed: 1 };
  const body: unknown = JSON.parse(answered.body);
  return { ...noTally, completed: 1, ...usageOf(isRecord(body) ? body["usage"] : null) };
}

/** Chats and responses name their counts differently. */
function usageOf(usage: unknown): Partial<BatchTally> {
  if (!isRecord(usage)) return {};
  const asChat =
    usage["input_tokens"] === undefined
      ? usage
      : {
          prompt_tokens: usage["input_tokens"],
          completion_tokens: usage["output_tokens"],
          prompt_tokens_details: usage["input_tokens_details"],
          completion_tokens_details: usage["output_tokens_details"],
        };
  const read = readEngineUsage(asChat);
  return read === null
    ? {}
    : {
        inputTokens: read.promptTokens,
        cachedTokens: read.cachedTokens,
        outputTokens: read.completionTokens,
        reasoningTokens: read.reasoningTokens ?? 0,
      };
}
