import { expect, test } from "vitest";
import { receiveUpload } from "./file-upload.ts";
import { shownName } from "./shown-name.ts";

test.each([
  ["report\u202efdp.exe", "reportfdp.exe"],
  ["\u2067a\u2069 \u202ab\u202c", "a b"],
  ["דוח\u200f 2026.pdf", "דוח\u200f 2026.pdf"],
  ["plain.txt", "plain.txt"],
])("of the name %j %j is shown", (name, shown) => {
  expect(shownName(name)).toBe(shown);
});

async function uploaded(filename: string) {
  const form = new FormData();
  form.set("purpose", "assistants");
  form.set("file", new File(["a"], filename));
  const request = new Request("http://localhost", { method: "POST", body: form });
  const boundary = /boundary=(.+)$/.exec(request.headers.get("content-type") ?? "")?.[1] ?? "";
  if (request.body === null) throw new Error("no body");
  const nowhere = {
    write: () => Promise.resolve(),
    finish: () => Promise.resolve(),
    abort: () => Promise.resolve(),
  };
  return receiveUpload(request.body, boundary, 1000, nowhere);
}

test("a file is stored under its shown name; a name without any visible character counts as none", async () => {
  expect(await uploaded("report\u202efdp.exe")).toMatchObject({
    ok: true,
    value: { filename: "reportfdp.exe" },
  });
  expect(await uploaded("\u202e\u202c")).toMatchObject({ ok: false, error: { param: "file" } });
});
