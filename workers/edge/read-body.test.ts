import { expect, test } from "vitest";
import { readJsonText } from "./read-body.ts";

function request(encoding: string): Request {
  return new Request("https://a.test/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json", "content-encoding": encoding },
    body: "{}",
  });
}

test.each(["identity", "Identity"])("a body that says %s is not compressed", async (encoding) => {
  expect(await readJsonText(request(encoding), 4096)).toEqual({ ok: true, value: "{}" });
});

test("a compressed body is not taken", async () => {
  expect(await readJsonText(request("gzip"), 4096)).toMatchObject({
    error: { kind: "media-type-unsupported" },
  });
});
