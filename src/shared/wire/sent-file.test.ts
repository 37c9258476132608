import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseChatRequest } from "./chat-request.ts";
import { decodeFileData } from "./sent-file.ts";

function read(file: object, role = "user"): unknown {
  const body = { model: "auto", messages: [{ role, content: [{ type: "file", file }] }] };
  const parsed = parseChatRequest(JSON.stringify(body));
  if (!parsed.ok) return { param: "param" in parsed.error ? parsed.error.param : parsed.error.kind };
  const [message] = parsed.value.messages;
  const content = message?.content as { file: object }[] | undefined;
  return content?.[0]?.file;
}

const file = "messages[0].content[0].file";

test.each([
  [
    { file_data: "YQ==", filename: "a.txt" },
    { file_data: "YQ==", filename: "a.txt" },
  ],
  [{ file_data: "YQ==", filename: null, file_id: null }, { file_data: "YQ==" }],
  [
    { file_data: "YQ==", filename: "C:\\docs\\a\nb\u202efdp.exe" },
    { file_data: "YQ==", filename: "a bfdp.exe" },
  ],
  [{ file_data: "YQ==", filename: "  /" }, { file_data: "YQ==" }],
  [{ file_id: "file-1", filename: "x" }, { file_id: "file-1" }],
  [{ file_id: "file-1", file_data: "YQ==" }, { param: `${file}.file_id` }],
  [{ filename: "a.txt" }, { param: `${file}.file_data` }],
  [{ file_data: "" }, { param: `${file}.file_data` }],
  [{ file_data: "YQ==", file_url: "https://x.example" }, { param: `${file}.file_url` }],
])("the file %j is read as %j", (sent, expected) => {
  expect(read(sent)).toEqual(expected);
});

test("a client can't supply a file's extracted text", () => {
  const content = [{ type: "file_text", filename: "a.txt", texts: ["mine"], has_pages: false }];
  const body = { model: "auto", messages: [{ role: "user", content }] };
  expect(parseChatRequest(JSON.stringify(body))).toMatchObject({
    error: { kind: "value-invalid", param: "messages[0].content[0].type" },
  });
});

test("only messages of the user may have files", () => {
  for (const role of ["system", "developer", "assistant"])
    expect(read({ file_data: "YQ==" }, role)).toEqual({ param: "messages[0].content[0].type" });
});

test("a data: URL and plain base64 give the same bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
      const base64 = Buffer.from(bytes).toString("base64");
      for (const [data, mediaType] of [
        [base64, ""],
        [`data:application/pdf;base64,${base64}`, "application/pdf"],
        [`DATA:text/plain;charset=utf-8; base64,${base64}`, "text/plain;charset=utf-8"],
        [`data:;base64,${base64}`, ""],
      ] as const) {
        const decoded = decodeFileData(data);
        expect(decoded.ok && { ...decoded.value, bytes: [...decoded.value.bytes] }).toEqual({
          bytes: [...bytes],
          mediaType,
        });
      }
    }),
  );
});

test("megabytes of bytes, also in lines, are decoded correctly", () => {
  const bytes = Uint8Array.from({ length: 2_500_001 }, (_, at) => (at * 31) % 251);
  const base64 = Buffer.from(bytes).toString("base64");
  const lines = base64.replaceAll(/.{76}/g, "$&\r\n");
  for (const data of [base64, `data:;base64,${base64}`, lines, `data:;base64,${lines}`]) {
    const decoded = decodeFileData(data);
    expect(decoded.ok && Buffer.from(decoded.value.bytes).equals(bytes)).toBe(true);
  }
});

test.each([
  ["data:text/plain,hello", "must be a data: URL with base64, or base64 alone"],
  [`data:${"a".repeat(300)};base64,YQ==`, "must be a data: URL with base64, or base64 alone"],
  ["data:text/plain;base64", "must be a data: URL with base64, or base64 alone"],
  ["data:text/plain;base64,", "holds no bytes"],
  ["data:text/plain;base64,Y*==", "is not valid base64"],
  ["https://x.example/a.pdf", "is not valid base64"],
])("%j %s", (data, fault) => {
  expect(decodeFileData(data)).toEqual({ ok: false, error: fault });
});
