/** Is this form an upload (`POST /v1/files`), and what does it contain? The file's bytes are stored as they come; fields may come before or after. */
import type { FilePurpose } from "../contracts/library.ts";
import { uploadPurposes } from "../contracts/library.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { FileWriter } from "../retrieval/file-contents.ts";
import { receiveForm, type FormShape, type ReceivedForm } from "./received-form.ts";
import { requestLimits } from "./request-limits.ts";
import { bareName } from "./shown-name.ts";
import { invalidValue } from "./zod-refusal.ts";

export interface ReceivedUpload {
  readonly filename: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly purpose: FilePurpose;
  readonly expiresAfterMs: number | null;
}

const maxMediaTypeCharacters = 128;
const fieldNames = ["purpose", "expires_after[anchor]", "expires_after[seconds]"] as const;
type FieldName = (typeof fieldNames)[number];

const otherPurposes: ReadonlySet<string> = new Set(["fine-tune", "vision", "evals"]);

const uploadForm: FormShape<FieldName> = { file: "file", fields: fieldNames, isNamed: true };

/** Reads the whole form. Throws what `writer` throws: the bytes could not be stored. */
export async function receiveUpload(
  body: ReadableStream<Uint8Array>,
  boundary: string,
  maxBytes: number,
  writer: FileWriter,
): Promise<Result<ReceivedUpload, Refusal>> {
  const received = await receiveForm(body, boundary, { maxBytes, what: "file" }, writer, uploadForm);
  return received.ok ? uploadOf(received.value) : received;
}

function uploadOf({ file, fields }: ReceivedForm<FieldName>): Result<ReceivedUpload, Refusal> {
  if (file === null) return err(invalidValue("file", "is required"));
  if (file.bytes === 0) return err(invalidValue("file", "is empty"));
  const purpose = purposeOf(fields.get("purpose"));
  if (!purpose.ok) return purpose;
  const expires = expiryOf(fields);
  if (!expires.ok) return expires;
  const filename = filenameOf(file.head.filename ?? "");
  if (filename === null) return err(invalidValue("file", `must have a name of ${nameForm}`));
  return ok({
    filename,
    mediaType: mediaTypeOf(file.head.mediaType),
    bytes: file.bytes,
    purpose: purpose.value,
    expiresAfterMs: expires.value,
  });
}

/** A media type in the form in which it is stored: as much as fits into a header of ours. */
export function mediaTypeOf(given: string): string {
  return given.replace(/[^\x20-\x7e]/g, "").slice(0, maxMediaTypeCharacters);
}

function purposeOf(text: string | undefined): Result<FilePurpose, Refusal> {
  const purpose = uploadPurposes.find((each) => each === text);
  if (purpose !== undefined) return ok(purpose);
  if (text === undefined) return err(invalidValue("purpose", "is required"));
  const reason = otherPurposes.has(text) ? `: '${text}' has no use here` : "";
  return err(
    invalidValue("purpose", `must be ${uploadPurposes.map((each) => `'${each}'`).join(" or ")}${reason}`),
  );
}

function expiryOf(fields: ReadonlyMap<FieldName, string>): Result<number | null, Refusal> {
  const anchor = fields.get("expires_after[anchor]");
  const seconds = fields.get("expires_after[seconds]");
  if (anchor === undefined && seconds === undefined) return ok(null);
  if (anchor !== "created_at")
    return err(
      invalidValue("expires_after.anchor", anchor === undefined ? "is required" : "must be 'created_at'"),
    );
  const value = seconds !== undefined && /^\d{1,9}$/.test(seconds) ? Number(seconds) : 0;
  return value >= 3600 && value <= 2_592_000
    ? ok(value * 1000)
    : err(invalidValue("expires_after.seconds", "must be a whole number from 3600 to 2592000"));
}

/** The rule for names, in words. */
export const nameForm = `1 to ${requestLimits.filenameCharacters} characters without control characters`;

/** `null`: not a valid name. */
export function filenameOf(given: string): string | null {
  const name = bareName(given);
  return name === "" ||
    name.length > requestLimits.filenameCharacters ||
    /[\u0000-\u001f\u007f]/.test(name) ||
    !name.isWellFormed()
    ? null
    : name;
}
