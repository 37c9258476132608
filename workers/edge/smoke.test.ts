import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";

test("the edge Worker answers inside workerd", async () => {
  const response = await exports.default.fetch("http://edgewise.test/health");
  expect(response.status).toBe(200);
  await response.text();
});
