/**
 * What do the files inside a request say? `find ▸ read ▸ bound`, one file at a time, since each is in memory whole. A file that this
 * isolate read recently is not read again: clients send a chat's files with every question.
 *
 * The caller must have checked that the sender may have files read (workers/edge/attached-files.ts), since reading costs CPU before
 * admission.
 */
import type { ObjectField, Refusal } from "../contracts/refusal.ts";
import { withObjectField } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { BoundedMap } from "../isolate/bounded-map.ts";
import { fileUnits, type FileText } from "../prompt/file-part.ts";
import type { ExtractedText } from "../retrieval/extract-text.ts";
import { type DocumentReader, DocumentReaderDied, DocumentReaderLate } from "../retrieval/ports.ts";
import { type FileFacts, readFileText } from "../retrieval/read-file-text.ts";
import { readingAlone } from "../retrieval/reading-alone.ts";
import { decodeFileData, type SentFile } from "../wire/sent-file.ts";
import { invalidValue } from "../wire/zod-refusal.ts";
import { attachmentBounds } from "./attachment-bounds.ts";

export interface AttachedFile {
  readonly file: SentFile;
  /** Of the body: whose members `file_data` and `file_id` are. */
  readonly place: FilePlace;
}

type FilePlace =
  | `messages[${number}].content[${number}].file`
  | `${"input" | "items"}[${number}].content[${number}]`;

export interface UploadedFile extends FileFacts {
  /** May be called again. Refused where it is gone meanwhile, or out of reach. */
  open(): Promise<Result<ReadableStream<Uint8Array>, Refusal>>;
}

/** A file's text, or why it can't be read: the same each time. */
export type ReadTexts = Result<Pick<FileText, "texts" | "has_pages">, Reason>;

interface Reason {
  /** A sentence. Nothing of the file. */
  readonly message: string;
}

export interface AttachedFilesDeps {
  /** A file of the sender or of the whole tenant; others are as unknown as files that do not exist. */
  readonly uploaded: (id: string) => Promise<Result<UploadedFile, Refusal>>;
  /** A reader that gives up after this many milliseconds; `null`: no reader is bound here. */
  readonly documents: (deadlineMs: number) => DocumentReader | null;
  readonly now: () => number;
  readonly remembered: BoundedMap<string, ReadTexts>;
  /** The owner of the bytes: texts that were read for one tenant are never used for another. */
  readonly tenant: string;
}

/** Their texts, in order. Refusals name the member of the body. */
export async function readAttached(
  files: readonly AttachedFile[],
  deps: AttachedFilesDeps,
): Promise<Result<readonly FileText[], Refusal>> {
  const read: FileText[] = [];
  let units = 0;
  let bytes = 0;
  const untilMs = deps.now() + attachmentBounds.readMs;
  for (const { file, place } of files) {
    const param = `${place}.${"file_id" in file ? "file_id" : "file_data"}` as const;
    const found = await findOne(file, param, deps);
    if (!found.ok) return found;
    bytes += found.value.source.bytes;
    if (bytes > attachmentBounds.bytes)
      return err(
        invalidValue(param, `brings the request's files over ${attachmentBounds.bytes} bytes: send fewer`),
      );
    const text = await readOne(found.value, param, deps, untilMs);
    if (!text.ok) return text;
    units += fileUnits(text.value);
    if (units > attachmentBounds.characters) return err(tooLong(param));
    read.push({ ...text.value, ...("file_id" in file ? { file_id: file.file_id } : {}) });
  }
  return ok(read);
}

function tooLong(param: string): Refusal {
  return invalidValue(
    param,
    `brings the text of the request's files over ${attachmentBounds.characters} characters: put them into a vector store, and have it searched`,
  );
}

type FileParam = `${FilePlace}.file_data` | `${FilePlace}.file_id`;

function findOne(
  file: SentFile,
  param: FileParam,
  deps: AttachedFilesDeps,
): Promise<Result<FoundFile, Refusal>> {
  return "file_id" in file ? uploadedFile(file.file_id, param, deps) : sentFile(file, param, deps);
}

async function readOne(
  { key, filename, source }: FoundFile,
  param: FileParam,
  deps: AttachedFilesDeps,
  untilMs: number,
): Promise<Result<FileText, Refusal>> {
  let texts = deps.remembered.get(key);
  if (texts === undefined) {
    const read = await textsOf(source, deps, untilMs);
    // Another time it may be faster.
    if (read === "late") return err(unreadable(param, tooSlow));
    if (!read.ok) return err(withObjectField(read.error, param as ObjectField));
    texts = read.value;
    deps.remembered.set(key, texts);
  }
  return texts.ok ? ok({ filename, ...texts.value }) : err(unreadable(param, texts.error));
}

function unreadable(param: FileParam, { message }: Reason): Refusal {
  return { kind: "value-invalid", param, message: `'${param}' can't be read. ${message}` };
}

interface FoundFile {
  /** The key under which its text is remembered. */
  readonly key: string;
  readonly filename: string;
  readonly source: UploadedFile;
}

/** What an uploaded file holds never changes. */
async function uploadedFile(
  id: string,
  param: string,
  deps: AttachedFilesDeps,
): Promise<Result<FoundFile, Refusal>> {
  const source = await deps.uploaded(id);
  if (!source.ok) return err(withObjectField(source.error, param as ObjectField));
  return ok({ key: `id ${id}`, filename: source.value.filename, source: source.value });
}

/** Of a file without a name: its bytes say what it is. */
const unnamed = "file";

async function sentFile(
  { file_data: data, filename = unnamed }: Extract<SentFile, { file_data: string }>,
  param: string,
  { tenant }: AttachedFilesDeps,
): Promise<Result<FoundFile, Refusal>> {
  const decoded = decodeFileData(data);
  if (!decoded.ok) return err(invalidValue(param, decoded.error));
  const { bytes, mediaType } = decoded.value;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  // Its name and type decide how it is read.
  const key = JSON.stringify([tenant, digest.join(), filename, mediaType]);
  const open = () => Promise.resolve(ok(streamOf(bytes)));
  return ok({ key, filename, source: { filename, mediaType, bytes: bytes.byteLength, open } });
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

/** A reader that crashed may have crashed on another document: it is asked once more, for this one alone. */
async function textsOf(
  file: UploadedFile,
  deps: Pick<AttachedFilesDeps, "documents" | "now">,
  untilMs: number,
  isAlone = false,
): Promise<Result<ReadTexts, Refusal> | "late"> {
  const leftMs = untilMs - deps.now();
  if (leftMs <= 0) return "late";
  const documents = deps.documents(leftMs);
  const body = await file.open();
  if (!body.ok) return body;
  try {
    const read = await readFileText(file, body.value, isAlone ? readingAlone(documents) : documents);
    return ok(read.ok ? pagesOf(read.value) : read);
  } catch (error) {
    if (error instanceof DocumentReaderLate) return "late";
    if (!(error instanceof DocumentReaderDied)) return err(unavailable(error));
    return isAlone ? ok(err(deadly)) : textsOf(file, deps, untilMs, true);
  }
}

function pagesOf({ text, pageStarts }: ExtractedText): ReadTexts {
  const starts = pageStarts ?? [0];
  const texts = starts.map((start, at) =>
    text
      .slice(start, starts[at + 1])
      .trim()
      .toWellFormed(),
  );
  return texts.every((each) => each === "") ? err(empty) : ok({ texts, has_pages: pageStarts !== undefined });
}

function unavailable(error: unknown): Refusal {
  return { kind: "dependency-unavailable", component: "files", retryAfterMs: 2_000, detail: String(error) };
}

const empty: Reason = { message: "The file holds no text." };

const tooSlow: Reason = {
  message: `Reading the request's files took over ${attachmentBounds.readMs / 1000} s. Send fewer, split it, or put it into a vector store, where there is more time.`,
};

const deadly: Reason = {
  message:
    "It takes more memory or time than there is for one document, and its reader ended over it. Save it anew, print it to a PDF, or split it.",
};
