import { expect, test } from "vitest";
import { inFormat } from "./embedding-format.ts";

const numbers = [0.5, -1.25, 3];
const packed = Buffer.from(new Float32Array(numbers).buffer).toString("base64");
const vector = (embedding: unknown) => ({ object: "embedding", index: 2, embedding });

test("a vector of numbers from an engine that knows no base64 becomes what OpenAI's clients read as base64", () => {
  expect(inFormat(vector(numbers), "base64")).toEqual(vector(packed));
  expect(inFormat(vector(packed), "base64")).toEqual(vector(packed));
});

test("and the other way round, for who wants numbers", () => {
  expect(inFormat(vector(packed), "float")).toEqual(vector(numbers));
  expect(inFormat(vector(numbers), "float")).toEqual(vector(numbers));
});

test.each([["no base64!"], ["AAA="], [null], [["x"]]])("what is no vector is passed on: %j", (embedding) => {
  for (const format of ["float", "base64"] as const)
    expect(inFormat(vector(embedding), format)).toEqual(vector(embedding));
  expect(inFormat(embedding, "float")).toBe(embedding);
});
