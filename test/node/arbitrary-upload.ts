/** Forms of an upload of which a part is missing, doubled, cut or none. */
import * as fc from "fast-check";
import type { GeneratedCall } from "./arbitrary-call.ts";
import { text } from "./valid-bodies.ts";

const boundary = "a-boundary";

export const arbitraryUpload: fc.Arbitrary<GeneratedCall> = fc
  .record({
    purpose: fc.constantFrom("assistants", "assistants", "user_data", "fine-tune", ""),
    filename: fc.constantFrom("a.txt", "a.md", "a.pdf", "a.docx", "", "../../a.txt", "a\u0000.txt", "ü.txt"),
    content: fc.oneof(text, fc.constantFrom("", "%PDF-1.4\nno", "PK\u0003\u0004", '{"a":1}', "a,b\n1,2")),
    order: fc.constantFrom("usual", "file-first", "no-file", "no-purpose", "two-files"),
    cut: fc.option(fc.nat({ max: 300 }), { nil: undefined, freq: 4 }),
    contentType: fc.constantFrom(
      `multipart/form-data; boundary=${boundary}`,
      `multipart/form-data; boundary="${boundary}"`,
      `multipart/form-data; boundary=${boundary}`,
      "multipart/form-data",
      "multipart/form-data; boundary=other",
      "application/json",
    ),
  })
  .map(({ purpose, filename, content, order, cut, contentType }) => {
    const named = `--${boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n${purpose}\r\n`;
    const file = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\n\r\n${content}\r\n`;
    const parts = {
      usual: named + file,
      "file-first": file + named,
      "no-file": named,
      "no-purpose": file,
      "two-files": named + file + file,
    }[order];
    return {
      method: "POST" as const,
      path: "/v1/files",
      text: `${parts}--${boundary}--\r\n`.slice(0, cut),
      contentType,
      as: "user" as const,
      intent: "broken" as const,
    };
  });
