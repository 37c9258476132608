import { expect, test } from "vitest";
import { searchUrl } from "./web-search-tool.ts";

test.each([
  ["https://s.example/{query}/now?n={count}", "a/b?c#d", "https://s.example/a%2Fb%3Fc%23d/now?n=3"],
  ["https://s.example/{query}/now", "..", "https://s.example/..%20/now"],
  ["https://s.example/{query}/now", ".", "https://s.example/.%20/now"],
  ["https://s.example/?q={query}", "...", "https://s.example/?q=..."],
  ["https://s.example/?q={query}", "{count}", "https://s.example/?q=%7Bcount%7D"],
  ["https://s.example/?q={query}", "\ud800", "https://s.example/?q=%EF%BF%BD"],
])("in %s, %j is one value, and leads nowhere else", (template, query, url) => {
  expect(searchUrl(template, query, 3).href).toBe(url);
});
