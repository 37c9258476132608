/** A file, or a part of one, that a request brings in a form: how long it may be, and how its bytes are kept as they come. */
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import type { FileWriter } from "../../src/shared/retrieval/file-contents.ts";
import { boundaryOf } from "../../src/shared/wire/multipart.ts";
import { formOverheadBytes, type FileBound } from "../../src/shared/wire/received-form.ts";
import { invalidValue } from "../../src/shared/wire/zod-refusal.ts";
import { unavailable } from "./ask-knowledge.ts";

export interface SentForm {
  readonly body: ReadableStream<Uint8Array>;
  readonly boundary: string;
  /** What it brings is no longer. */
  readonly atMostBytes: number;
}

/** @param field the one that brings the bytes */
export function sentForm(
  request: Request,
  field: string,
  { maxBytes, what }: FileBound,
): Result<SentForm, Refusal> {
  const boundary = boundaryOf(request.headers.get("content-type") ?? "");
  const encoding = request.headers.get("content-encoding") ?? "identity";
  if (boundary === null || encoding.toLowerCase() !== "identity")
    return err({ kind: "media-type-unsupported", wanted: "form" });
  if (request.body === null) return err(invalidValue(field, "is required"));
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > maxBytes + formOverheadBytes)
    return err({ kind: "body-too-large", maxBytes, what });
  const atMostBytes = declared === null ? maxBytes : Math.min(Number(declared), maxBytes);
  return ok({ body: request.body, boundary, atMostBytes });
}

/** What `receive` hands to the writer is kept as a whole, or let go. */
export async function keptWhole<T>(
  writer: FileWriter,
  receive: () => Promise<Result<T, Refusal>>,
): Promise<Result<T, Refusal>> {
  try {
    const received = await receive();
    await (received.ok ? writer.finish() : writer.abort());
    return received;
  } catch (error) {
    // What came so far must not lie there until the bucket gives it up by itself. Why that fails, the first failure tells.
    await writer.abort().catch(() => undefined);
    return err(unavailable("files", 1000, String(error)));
  }
}
