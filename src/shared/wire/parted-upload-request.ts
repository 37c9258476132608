/** What do the requests of an upload in parts (`/v1/uploads`) contain: the announced file, a part of it, and the order of the parts? */
import * as z from "zod";
import { uploadPurposes } from "../contracts/library.ts";
import { mostUploadParts, type AnnouncedFile } from "../contracts/parted-upload.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { FileWriter } from "../retrieval/file-contents.ts";
import { filenameOf, mediaTypeOf, nameForm } from "./file-upload.ts";
import { parseJson } from "./parse-json.ts";
import { receiveForm, type FormShape } from "./received-form.ts";
import { opaqueId } from "./schema-parts.ts";
import { invalidValue, refusalOfIssues } from "./zod-refusal.ts";

export const uploadCreationSchema = z.lazy(() =>
  z.strictObject({
    filename: z.string(),
    purpose: z.enum(uploadPurposes),
    bytes: z.int().min(1).meta({ description: "Of the whole file; at most as many as a file may have." }),
    mime_type: z.string(),
    expires_after: z
      .strictObject({ anchor: z.literal("created_at"), seconds: z.int().min(3600).max(2_592_000) })
      .nullish()
      .meta({ description: "Of the file that it becomes, from its completion. Absent: it stays." }),
  }),
);

export const uploadPartFormSchema = z.lazy(() =>
  z.strictObject({ data: z.string().meta({ format: "binary", description: "The part's bytes." }) }),
);

export const uploadCompletionSchema = z.lazy(() =>
  z.strictObject({
    part_ids: z
      .array(opaqueId)
      .min(1)
      .max(mostUploadParts)
      .refine((ids) => new Set(ids).size === ids.length, "may hold no part twice")
      .meta({ description: "In the order of the file. Parts that are not named are dropped." }),
    md5: z
      .string()
      .regex(/^[0-9a-fA-F]{32}$/, "must be 32 hexadecimal digits")
      .nullish()
      .meta({ description: "Of the whole file: where it differs, nothing is completed." }),
  }),
);

export interface UploadCompletion {
  readonly partIds: readonly string[];
  /** In lower case. */
  readonly md5: string | null;
}

/** @param maxBytes the largest file that the tenant's policy allows */
export function parseUploadCreation(body: string, maxBytes: number): Result<AnnouncedFile, Refusal> {
  const json = parseJson(body);
  if (!json.ok) return json;
  const parsed = uploadCreationSchema.safeParse(json.value);
  if (!parsed.success) return err(refusalOfIssues(parsed.error.issues, [], json.value));
  const { filename: given, purpose, bytes, mime_type: mediaType, expires_after: expiry } = parsed.data;
  const filename = filenameOf(given);
  if (filename === null) return err(invalidValue("filename", `must be a name of ${nameForm}`));
  if (bytes > maxBytes)
    return err(invalidValue("bytes", `may be at most ${maxBytes}: no file of this tenant may be longer`));
  const expiresAfterMs = expiry === null || expiry === undefined ? null : expiry.seconds * 1000;
  return ok({ filename, purpose, mediaType: mediaTypeOf(mediaType), bytes, expiresAfterMs });
}

export function parseUploadCompletion(body: string): Result<UploadCompletion, Refusal> {
  const json = parseJson(body);
  if (!json.ok) return json;
  const parsed = uploadCompletionSchema.safeParse(json.value);
  if (!parsed.success) return err(refusalOfIssues(parsed.error.issues, [], json.value));
  const { part_ids: partIds, md5 } = parsed.data;
  return ok({ partIds, md5: md5?.toLowerCase() ?? null });
}

/** OpenAI's own example sends the bytes as a plain field, without a name. */
const partForm: FormShape<never> = { file: "data", fields: [], isNamed: false };

/** Reads the whole form. Throws what `writer` throws. @returns the part's size in bytes */
export async function receivePart(
  body: ReadableStream<Uint8Array>,
  boundary: string,
  maxBytes: number,
  writer: FileWriter,
): Promise<Result<number, Refusal>> {
  const received = await receiveForm(body, boundary, { maxBytes, what: "part" }, writer, partForm);
  if (!received.ok) return received;
  const { file } = received.value;
  if (file === null) return err(invalidValue("data", "is required"));
  return file.bytes === 0 ? err(invalidValue("data", "is empty")) : ok(file.bytes);
}
