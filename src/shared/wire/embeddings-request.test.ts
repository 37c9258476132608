import * as fc from "fast-check";
import { expect, test } from "vitest";
import { embeddingRequestSchema, parseEmbeddingRequest } from "./embeddings-request.ts";

function parse(input: unknown) {
  return parseEmbeddingRequest(JSON.stringify({ model: "auto", input }));
}

test("an input is taken, unchanged, exactly where its schema takes it", () => {
  const token = fc.oneof(
    { weight: 8, arbitrary: fc.nat({ max: 4_294_967_295 }) },
    fc.constantFrom<unknown>(-1, 4_294_967_296, 0.5, null, "1", {}, []),
  );
  const tokens = fc.array(token, { maxLength: 4 });
  const input = fc.oneof(
    fc.string(),
    fc.array(fc.string(), { maxLength: 4 }),
    tokens,
    fc.array(fc.oneof({ weight: 8, arbitrary: tokens }, token), { maxLength: 4 }),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(input, (value) => {
      const sent = JSON.parse(JSON.stringify(value)) as unknown;
      const read = parse(sent);
      // Null means absent, as for every field.
      expect(read.ok).toBe(embeddingRequestSchema.safeParse({ model: "auto", input: sent }).success);
      if (read.ok) expect(read.value.input).toEqual(sent);
    }),
  );
});

test.each<[string, unknown, string, string]>([
  ["a token that is none", [1, 2, -1], "input[2]", "must be at least 0"],
  ["a part of one", [1, 0.5], "input[1]", "must be an integer"],
  ["a text among tokens", [1, "a"], "input[1]", "must be a number"],
  ["a token that is none, in a list of lists", [[1], [1, -1]], "input[1][1]", "must be at least 0"],
  ["no list among lists", [[1], 2], "input[1]", "must be an array"],
  ["an empty list", [[]], "input[0]", "must have at least 1 item"],
  ["too many tokens", Array.from({ length: 1_000_001 }, () => 1), "input", "must have at most 1000000 items"],
])("%s is refused by its place", (_, input, param, fault) => {
  expect(parse(input)).toMatchObject({ error: { param, message: `'${param}' ${fault}.` } });
});
