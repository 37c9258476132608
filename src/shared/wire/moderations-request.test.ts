import { describe, expect, test } from "vitest";
import { parseModerationRequest } from "./moderations-request.ts";

function parse(body: object) {
  return parseModerationRequest(JSON.stringify(body));
}

const image = { type: "image_url", image_url: { url: "https://example.org/a.png" } };

describe("OpenAI's three forms of input", () => {
  test.each([
    ["a string", "Hello", ["Hello"]],
    ["an empty string", "", [""]],
    ["a list, each an input of its own", ["a", "b"], ["a", "b"]],
    [
      "parts, one input together",
      [{ type: "text", text: "a" }, image, { type: "text", text: "b" }],
      ["a\nb"],
    ],
  ])("%s", (_, input, inputs) => {
    expect(parse({ input })).toEqual({ ok: true, value: { model: "omni-moderation-latest", inputs } });
  });
});

describe("what is wrong is named", () => {
  test.each([
    [{}, "input"],
    [{ input: 7 }, "input"],
    [{ input: [] }, "input"],
    [{ input: ["a", 7] }, "input[1]"],
    [{ input: ["a", image] }, "input[1]"],
    [{ input: [image] }, "input"],
    [{ input: [{ type: "text" }] }, "input[0].text"],
    [{ input: [{ type: "image_url", image_url: { url: 7 } }] }, "input[0].image_url.url"],
    [{ input: [{ type: "input_audio" }] }, "input[0].type"],
    [{ input: "half a pair \ud83e" }, "input"],
    [{ input: "a", model: "" }, "model"],
  ])("%j", (body, param) => {
    expect(parse(body)).toMatchObject({ ok: false, error: { kind: "value-invalid", param } });
  });

  test("an unknown field", () => {
    expect(parse({ input: "a", user: "b" })).toMatchObject({
      error: { kind: "parameter-unknown", param: "user" },
    });
  });
});
