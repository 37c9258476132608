import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { FileWriter } from "../retrieval/file-contents.ts";
import { boundaryOf } from "./multipart.ts";
import { parseUploadCompletion, receivePart } from "./parted-upload-request.ts";

function keeping(): FileWriter & { readonly pieces: Uint8Array[] } {
  const pieces: Uint8Array[] = [];
  return {
    pieces,
    write: (bytes) => Promise.resolve(void pieces.push(bytes.slice())),
    finish: () => Promise.resolve(),
    abort: () => Promise.resolve(),
  };
}

async function received(form: FormData, maxBytes: number, writer = keeping()) {
  const request = new Request("https://edgewise.test", { method: "POST", body: form });
  const boundary = boundaryOf(request.headers.get("content-type") ?? "");
  if (request.body === null || boundary === null) throw new Error("a form has a body");
  return receivePart(request.body, boundary, maxBytes, writer);
}

test("a part is what its form brings, byte for byte, up to its bound and no further", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.nat(300),
      async (bytes, maxBytes) => {
        const form = new FormData();
        form.append("data", new Blob([new Uint8Array(bytes)]), "upload");
        const writer = keeping();
        const part = await received(form, maxBytes, writer);
        if (bytes.length > maxBytes)
          expect(part).toEqual({ ok: false, error: { kind: "body-too-large", maxBytes, what: "part" } });
        else {
          expect(part).toEqual({ ok: true, value: bytes.length });
          expect(Buffer.concat(writer.pieces).equals(Buffer.from(bytes))).toBe(true);
        }
      },
    ),
  );
});

test("the order of the parts and the checksum are taken as clients write them", () => {
  const md5 = "D41D8CD98F00B204E9800998ECF8427E";
  const completion = (body: object) => parseUploadCompletion(JSON.stringify(body));
  expect(completion({ part_ids: ["part_2", "part_1"], md5 })).toEqual({
    ok: true,
    value: { partIds: ["part_2", "part_1"], md5: md5.toLowerCase() },
  });
  expect(completion({ part_ids: ["part_1"], md5: null })).toMatchObject({ value: { md5: null } });
  for (const [body, param] of [
    [{}, "part_ids"],
    [{ part_ids: [] }, "part_ids"],
    [{ part_ids: ["a", "a"] }, "part_ids"],
    [{ part_ids: Array.from({ length: 1001 }, (_, at) => `part_${at}`) }, "part_ids"],
    [{ part_ids: ["a"], md5: "1B2M2Y8AsgTpgAmY7PhCfg==" }, "md5"],
  ] as const)
    expect(completion(body)).toMatchObject({ ok: false, error: { kind: "value-invalid", param } });
});
