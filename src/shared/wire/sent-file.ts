/**
 * A file inside a request, as OpenAI's clients send it: chats in a part `file`, responses in a part `input_file`. By its bytes, or by the id of
 * an uploaded one. src/shared/attachments reads it.
 */
import * as z from "zod";
import { err, ok, type Result } from "../contracts/result.ts";
import { lazyShape } from "./lazy-shape.ts";
import { requestLimits } from "./request-limits.ts";
import { opaqueId, text, withoutEffect } from "./schema-parts.ts";
import { bareName } from "./shown-name.ts";

export type SentFile =
  | { readonly file_data: string; readonly filename?: string }
  /** It has the uploaded file's name. */
  | { readonly file_id: string };

/** Chats have it in a nested object, responses in the part itself. */
export const sentFileShape = lazyShape({
  /** A `data:` URL with base64, or base64 alone. */
  file_data: () => z.string().min(1).nullish(),
  file_id: () => opaqueId.nullish(),
  filename: () => text(requestLimits.filenameCharacters).nullish(),
  /** The resolution for viewing its pages. Without effect, since they are read as text. */
  detail: () => withoutEffect(z.enum(["auto", "low", "high"]).nullish()),
});

interface SentMembers {
  readonly file_data?: string | null | undefined;
  readonly file_id?: string | null | undefined;
  readonly filename?: string | null | undefined;
}

/** For `transform`: exactly one of the two fields must identify the file. */
export function readSentFile(
  { file_data: data, file_id: id, filename }: SentMembers,
  context: { addIssue(issue: { code: "custom"; path: string[]; message: string }): void },
): SentFile {
  if (typeof id === "string") {
    if (typeof data === "string")
      context.addIssue({
        code: "custom",
        path: ["file_id"],
        message: "can't stand beside 'file_data': send one of them",
      });
    return { file_id: id };
  }
  if (typeof data !== "string") {
    context.addIssue({ code: "custom", path: ["file_data"], message: "or 'file_id' is required" });
    return z.NEVER;
  }
  const name = bareName(filename ?? "").replaceAll(/[\u0000-\u001f\u007f]/g, " ");
  return { file_data: data, ...(name === "" ? {} : { filename: name }) };
}

export interface FileData {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** As its sender gave it; empty: not given. */
  readonly mediaType: string;
}

/** The media type ends early or not at all, so megabytes are not searched for its end. */
const longestHead = 256;

/** The bytes of `file_data`, or what is wrong with it: "must be …". */
export function decodeFileData(data: string): Result<FileData, string> {
  let start = 0;
  let mediaType = "";
  if (/^data:/i.test(data)) {
    const comma = data.slice(0, longestHead).indexOf(",");
    const head = comma === -1 ? "" : data.slice("data:".length, comma);
    if (!/;\s*base64$/i.test(head)) return err("must be a data: URL with base64, or base64 alone");
    mediaType = head.replace(/;\s*base64$/i, "");
    start = comma + 1;
  }
  const bytes = fromBase64(data, start);
  if (bytes === null) return err("is not valid base64");
  return bytes.length === 0 ? err("holds no bytes") : ok({ bytes, mediaType });
}

/** Characters decoded at a time, a multiple of four. Decoding all at once would need the memory twice. */
const pieceUnits = 1_048_576;

/** `null`: it is not base64. */
function fromBase64(data: string, from: number): Uint8Array<ArrayBuffer> | null {
  // Line breaks, as in mail, would shift the groups of four.
  if (/\s/.test(data)) return fromBase64(data.slice(from).replaceAll(/\s+/g, ""), 0);
  const bytes = new Uint8Array(Math.ceil((data.length - from) / 4) * 3);
  let length = 0;
  for (let at = from; at < data.length; at += pieceUnits) {
    let piece: string;
    try {
      piece = atob(data.slice(at, at + pieceUnits));
    } catch {
      return null;
    }
    for (let index = 0; index < piece.length; index += 1) bytes[length + index] = piece.charCodeAt(index);
    length += piece.length;
  }
  return bytes.subarray(0, length);
}
