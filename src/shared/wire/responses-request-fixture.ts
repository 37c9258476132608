/** Parses a request for a response that must be accepted and must not refer to items of earlier ones. */
import { isWhole, parseResponseRequest, type ResponseRequest } from "./responses-request.ts";

export function takenResponse(body: object): ResponseRequest {
  const parsed = parseResponseRequest(JSON.stringify(body));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  if (!isWhole(parsed.value)) throw new Error("the input names an item in place of it");
  return parsed.value;
}
