/**
 * Is this line of a batch's file a well-formed request? Its body is only checked when the line is run, so that a wrong one fails alone.
 */
import type { BatchEndpoint, BatchError } from "../contracts/batch.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { usualModerationModel } from "../wire/moderations-request.ts";
import { isRecord } from "../wire/is-record.ts";

export interface CheckedLine {
  readonly customId: string;
  readonly model: string;
  readonly body: Record<string, unknown>;
}

export type LineFault = Omit<BatchError, "line">;

/** Characters. */
const maxCustomId = 512;

/** @param model of the lines before; `null`: this is the first */
export function checkLine(
  bytes: Uint8Array,
  endpoint: BatchEndpoint,
  model: string | null,
): Result<CheckedLine, LineFault> {
  let line: unknown;
  try {
    line = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return fault("invalid_json_line", null, "This line is not parseable as valid JSON in UTF-8.");
  }
  if (!isRecord(line)) return fault("invalid_json_line", null, "This line is no JSON object.");
  const { custom_id: customId, method, url, body } = line;
  for (const [name, value] of Object.entries({ custom_id: customId, method, url, body }))
    if (value === undefined || value === null) return missing(name);
  if (typeof customId !== "string" || customId === "" || customId.length > maxCustomId)
    return fault(
      "invalid_custom_id",
      "custom_id",
      `The custom_id must be a text of 1 to ${maxCustomId} characters.`,
    );
  if (!customId.isWellFormed())
    return fault("invalid_custom_id", "custom_id", "The custom_id is not well-formed Unicode.");
  if (method !== "POST")
    return fault("invalid_method", "method", "The method of each request in a batch must be POST.");
  if (url !== endpoint)
    return fault(
      "mismatched_url",
      "url",
      `The url of this request is not the batch's endpoint, ${endpoint}.`,
    );
  if (!isRecord(body)) return fault("invalid_body", "body", "The body must be a JSON object.");
  const named = body["model"] ?? (endpoint === "/v1/moderations" ? usualModerationModel : null);
  if (named === null) return missing("body.model");
  if (typeof named !== "string" || named === "")
    return fault("invalid_model", "body.model", "The model must be named by a text.");
  if (model !== null && named !== model)
    return fault(
      "mismatched_model",
      "body.model",
      "The model of this request does not match the rest of the batch. Each batch must contain requests for a single model.",
    );
  return ok({ customId, model: named, body });
}

export const duplicateCustomId: LineFault = {
  code: "duplicate_custom_id",
  message:
    "The custom_id of this request is a duplicate of another request's. It must be unique for each request in a batch.",
  param: "custom_id",
};

export function lineTooLong(maxBytes: number): LineFault {
  return { code: "line_too_long", message: `A line may have at most ${maxBytes} bytes.`, param: null };
}

export function tooManyLines(maxLines: number): LineFault {
  return {
    code: "too_many_requests",
    message: `A batch of this tenant's may hold at most ${maxLines} requests. Split the file.`,
    param: null,
  };
}

export const emptyFile: LineFault = {
  code: "empty_file",
  message: "The file holds no request.",
  param: null,
};

function missing(param: string): Result<never, LineFault> {
  return fault("missing_required_parameter", param, `'${param}' is required.`);
}

function fault(code: string, param: string | null, message: string): Result<never, LineFault> {
  return err({ code, message, param });
}
