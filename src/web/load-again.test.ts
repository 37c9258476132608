import { expect, test } from "vitest";
import { addressIn } from "./load-again.ts";

const origin = "https://chat.example";
const ours = `${origin}/web/desk-abc.js`;

test.each([
  [`Failed to fetch dynamically imported module: ${ours}`, ours],
  [`error loading dynamically imported module: ${ours}?again=1`, ours],
  ["Importing a module script failed.", null],
  ["Failed to fetch dynamically imported module: https://evil.example/web/desk-abc.js", null],
  [`Failed to fetch dynamically imported module: ${origin}.evil.example/web/desk-abc.js`, null],
])("%s", (message, address) => {
  expect(addressIn(new TypeError(message), origin)).toBe(address);
});
