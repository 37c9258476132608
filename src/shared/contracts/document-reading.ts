/**
 * What the edge and the reader of documents (workers/document-reader) say to each other: the document's bytes as a request's body, its text
 * as JSON. By `fetch`, so that bytes from any source can be streamed and a caller that gives up is noticed. The response's headers are sent
 * when all bytes have arrived and reading begins: if the body breaks off after them, the reader died over this document or over another
 * that it was reading.
 *
 * Either side may be deployed first: unknown members are ignored, and another version has another path.
 */
import * as z from "zod";

/** Any host will do: the binding leads to one Worker. */
export const documentReaderUrl = "https://document-reader/v1/read";
/** How many bytes the body is to have. */
export const documentBytesHeader = "x-document-bytes";
/** On every answer of the reader itself, to distinguish it from one that the platform gives in its place. */
export const documentReaderHeader = "x-document-reader";

/** With any value, no other document is read at the same time, so that a crash can be traced to this one. */
export const documentAloneHeader = "x-document-alone";

/** Whole, so that no answer is worth more than its text: JSON writes a line end as two characters, a quote likewise. */
export const mostAnswerBytes = 32 * 1_048_576;

export const documentAnswerSchema = z.lazy(() =>
  z.discriminatedUnion("result", [
    z.object({
      result: z.literal("text"),
      text: z.string(),
      kind: z.enum(["plain", "markdown"]),
      /** Where each page begins, in UTF-16 units of the text, ascending. Absent: it has no pages. */
      page_starts: z.array(z.int().min(0)).max(100_000).optional(),
    }),
    z.object({
      result: z.literal("refused"),
      code: z.enum(["unsupported_file", "invalid_file"]),
      /** For the uploader; holds nothing of the document. */
      message: z.string().max(1_000),
    }),
    /** Something other than the document failed. */
    z.object({ result: z.literal("fault") }),
  ]),
);
export type DocumentAnswer = z.infer<typeof documentAnswerSchema>;
