import { expect, test } from "vitest";
import { err, ok } from "./result.ts";

test("a result carries its tag", () => {
  expect(ok(1)).toEqual({ ok: true, value: 1 });
  expect(err("x")).toEqual({ ok: false, error: "x" });
});
