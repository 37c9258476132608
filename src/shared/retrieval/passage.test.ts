import { expect, test } from "vitest";
import { shownAttributes } from "./passage.ts";

test("a passage's page is shown among its attributes, where its owner left room for it", () => {
  expect(shownAttributes({ attributes: { year: 2026 }, page: 3 })).toEqual({ year: 2026, page: 3 });
  expect(shownAttributes({ attributes: { year: 2026 } })).toEqual({ year: 2026 });
  expect(shownAttributes({ attributes: { page: "cover" }, page: 3 })).toEqual({ page: "cover" });
  const full = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`key${at}`, at]));
  expect(shownAttributes({ attributes: full, page: 3 })).toEqual(full);
});
