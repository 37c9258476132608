/** A file that came with a message, as it was read: its text, in place of the part that OpenAI calls `file` or `input_file`. Kept as JSON, so that members may only be added. */
import type { ContentPart } from "./chat-message.ts";

export interface FileText {
  readonly filename: string;
  /** One of each page, empty ones too, where it has pages; else one. */
  readonly texts: readonly string[];
  readonly has_pages: boolean;
  /** Where it is a file of `/v1/files`. */
  readonly file_id?: string;
}

export interface FilePart extends FileText {
  readonly type: "file_text";
}

export function isFilePart(part: ContentPart): part is FilePart {
  return part.type === "file_text";
}

/** UTF-16 units of what a model reads of it. */
export function fileUnits({ filename, texts }: FileText): number {
  return texts.reduce((sum, { length }) => sum + length, filename.length);
}
