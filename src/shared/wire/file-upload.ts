/** Is this form an upload (`POST /v1/files`), and what does it hold? The file's bytes go on as they come; the fields may stand before or behind. */
import type { FilePurpose } from "../contracts/library.ts";
import { uploadPurposes } from "../contracts/library.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { FileWriter } from "../retrieval/file-contents.ts";
import { MultipartReader, type PartHead } from "./multipart.ts";
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

/** Bytes of a form beside its file: boundaries, headers and the fields. */
export const formOverheadBytes = 16_384;

const maxFieldBytes = 1024;
const maxMediaTypeCharacters = 128;
const fieldNames = ["purpose", "expires_after[anchor]", "expires_after[seconds]"] as const;
type FieldName = (typeof fieldNames)[number];

const otherPurposes: ReadonlySet<string> = new Set(["fine-tune", "vision", "evals"]);

interface Received {
  file: { readonly head: PartHead; readonly bytes: number } | null;
  readonly fields: Map<FieldName, string>;
}

/** The whole form. What fails in `writer` is thrown: the bytes could not be kept. */
export async function receiveUpload(
  body: ReadableStream<Uint8Array>,
  boundary: string,
  maxBytes: number,
  writer: FileWriter,
): Promise<Result<ReceivedUpload, Refusal>> {
  const reader = new MultipartReader(body, boundary, maxBytes + formOverheadBytes);
  const received: Received = { file: null, fields: new Map() };
  const fault = await readParts(reader, received, maxBytes, writer);
  if (fault === null) return uploadOf(received);
  // The client may still be sending: it is told now.
  await reader.cancel().catch(() => undefined);
  return err(fault);
}

async function readParts(
  reader: MultipartReader,
  received: Received,
  maxBytes: number,
  writer: FileWriter,
): Promise<Refusal | null> {
  for (;;) {
    const next = await fromClient(reader.next());
    if (next === null) return { kind: "client-gone" };
    if (next.kind === "malformed") return invalidValue(null, next.fault);
    if (next.kind === "end") return null;
    const { head } = next;
    const fault =
      head.name === "file"
        ? await readFile(reader, head, received, maxBytes, writer)
        : await readField(reader, head, received);
    if (fault !== null) return fault;
  }
}

async function readFile(
  reader: MultipartReader,
  head: PartHead,
  received: Received,
  maxBytes: number,
  writer: FileWriter,
): Promise<Refusal | null> {
  if (received.file !== null) return invalidValue("file", "is sent twice: one file a request");
  if (head.filename === undefined) return invalidValue("file", "must be a file: its part has no filename");
  let bytes = 0;
  for (;;) {
    const piece = await fromClient(reader.read());
    if (piece === null) break;
    bytes += piece.byteLength;
    if (bytes > maxBytes) return { kind: "body-too-large", maxBytes, what: "file" };
    await writer.write(piece);
  }
  received.file = { head, bytes };
  return null;
}

async function readField(
  reader: MultipartReader,
  { name }: PartHead,
  { fields }: Received,
): Promise<Refusal | null> {
  const known = fieldNames.find((each) => each === name);
  if (known === undefined) return { kind: "parameter-unknown", param: name.slice(0, 128) };
  if (fields.has(known)) return invalidValue(known, "is sent twice");
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (;;) {
    const piece = await fromClient(reader.read());
    if (piece === null) break;
    bytes += piece.byteLength;
    if (bytes > maxFieldBytes) return invalidValue(known, `must have at most ${maxFieldBytes} bytes`);
    text += decoder.decode(piece, { stream: true });
  }
  fields.set(known, text + decoder.decode());
  return null;
}

/** `null`: over, or the client stopped sending: then the next reading is broken as well. */
async function fromClient<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch {
    return null;
  }
}

function uploadOf({ file, fields }: Received): Result<ReceivedUpload, Refusal> {
  if (file === null) return err(invalidValue("file", "is required"));
  if (file.bytes === 0) return err(invalidValue("file", "is empty"));
  const purpose = purposeOf(fields.get("purpose"));
  if (!purpose.ok) return purpose;
  const expires = expiryOf(fields);
  if (!expires.ok) return expires;
  const filename = filenameOf(file.head.filename ?? "");
  if (filename === null)
    return err(
      invalidValue(
        "file",
        `must have a name of 1 to ${requestLimits.filenameCharacters} characters without control characters`,
      ),
    );
  return ok({
    filename,
    mediaType: file.head.mediaType.replace(/[^\x20-\x7e]/g, "").slice(0, maxMediaTypeCharacters),
    bytes: file.bytes,
    purpose: purpose.value,
    expiresAfterMs: expires.value,
  });
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

/** `null`: no name. */
function filenameOf(given: string): string | null {
  const name = bareName(given);
  return name === "" ||
    name.length > requestLimits.filenameCharacters ||
    /[\u0000-\u001f\u007f]/.test(name) ||
    !name.isWellFormed()
    ? null
    : name;
}
