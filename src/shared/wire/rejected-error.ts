/** The error for a request that an engine rejects. It names the field, and never quotes the engine. */
import { wire, type WireError } from "./wire-error.ts";

/**
 * @param param the rejected field, if the engine's message tells
 * @param reference identifies the request for the operator
 */
export function rejectedError(param: string | null, reference: string): WireError {
  const check =
    param === null
      ? "Check the fields that only some models support, such as tools, response_format, media or an embedding's dimensions"
      : `It is about '${param}', which holds what this model does not know or can't do`;
  return wire(
    400,
    "invalid_request_error",
    "request_rejected",
    param,
    `The model's server can't process this request as it stands, and sending it again won't help. ${check}${reference}.`,
  );
}
