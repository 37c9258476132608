/**
 * What does a form with one file contain? The file's bytes are passed on as they come; fields may come before or after. The caller knows
 * their meaning.
 */
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { FileWriter } from "../retrieval/file-contents.ts";
import { MultipartReader, type PartHead } from "./multipart.ts";
import { invalidValue } from "./zod-refusal.ts";

export interface FormShape<Field extends string> {
  /** The part that is the file. */
  readonly file: string;
  readonly fields: readonly Field[];
  /** Whether the file must have a name; without one it is a plain field. */
  readonly isNamed: boolean;
}

export interface ReceivedForm<Field extends string> {
  /** `null`: none was sent. */
  readonly file: { readonly head: PartHead; readonly bytes: number } | null;
  readonly fields: ReadonlyMap<Field, string>;
}

export interface FileBound {
  readonly maxBytes: number;
  /** What exceeds it, for the refusal. */
  readonly what: "file" | "part";
}

/** The most bytes of a form besides its file: boundaries, headers and fields. */
export const formOverheadBytes = 16_384;

const maxFieldBytes = 1024;

/** Reads the whole form. Throws what `writer` throws: the bytes could not be stored. */
export async function receiveForm<Field extends string>(
  body: ReadableStream<Uint8Array>,
  boundary: string,
  bound: FileBound,
  writer: FileWriter,
  shape: FormShape<Field>,
): Promise<Result<ReceivedForm<Field>, Refusal>> {
  const reader = new MultipartReader(body, boundary, bound.maxBytes + formOverheadBytes);
  const received = new FormInParts(reader, bound, writer, shape);
  const fault = await received.readAll();
  if (fault === null) return ok(received);
  // The client may still be sending, but gets the error now.
  await reader.cancel().catch(() => undefined);
  return err(fault);
}

class FormInParts<Field extends string> implements ReceivedForm<Field> {
  file: ReceivedForm<Field>["file"] = null;
  readonly fields = new Map<Field, string>();
  readonly #reader: MultipartReader;
  readonly #bound: FileBound;
  readonly #writer: FileWriter;
  readonly #shape: FormShape<Field>;

  constructor(reader: MultipartReader, bound: FileBound, writer: FileWriter, shape: FormShape<Field>) {
    this.#reader = reader;
    this.#bound = bound;
    this.#writer = writer;
    this.#shape = shape;
  }

  async readAll(): Promise<Refusal | null> {
    for (;;) {
      const next = await fromClient(this.#reader.next());
      if (next === null) return { kind: "client-gone" };
      if (next.kind === "malformed") return invalidValue(null, next.fault);
      if (next.kind === "end") return null;
      const { head } = next;
      const fault = await (head.name === this.#shape.file ? this.#readFile(head) : this.#readField(head));
      if (fault !== null) return fault;
    }
  }

  async #readFile(head: PartHead): Promise<Refusal | null> {
    const { file: name, isNamed } = this.#shape;
    if (this.file !== null) return invalidValue(name, "is sent twice: one file a request");
    if (isNamed && head.filename === undefined)
      return invalidValue(name, "must be a file: its part has no filename");
    let bytes = 0;
    for (;;) {
      const piece = await fromClient(this.#reader.read());
      if (piece === null) break;
      bytes += piece.byteLength;
      if (bytes > this.#bound.maxBytes) return { kind: "body-too-large", ...this.#bound };
      await this.#writer.write(piece);
    }
    this.file = { head, bytes };
    return null;
  }

  async #readField({ name }: PartHead): Promise<Refusal | null> {
    const known = this.#shape.fields.find((each) => each === name);
    if (known === undefined) return { kind: "parameter-unknown", param: name.slice(0, 128) };
    if (this.fields.has(known)) return invalidValue(known, "is sent twice");
    const decoder = new TextDecoder();
    let text = "";
    let bytes = 0;
    for (;;) {
      const piece = await fromClient(this.#reader.read());
      if (piece === null) break;
      bytes += piece.byteLength;
      if (bytes > maxFieldBytes) return invalidValue(known, `must have at most ${maxFieldBytes} bytes`);
      text += decoder.decode(piece, { stream: true });
    }
    this.fields.set(known, text + decoder.decode());
    return null;
  }
}

/** `null`: the end, or the client stopped sending; then the next read fails as well. */
async function fromClient<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch {
    return null;
  }
}
