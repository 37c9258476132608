import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Without it, whatever host of its own zone a tenant names is asked past Access and the firewall (docs/decisions/0076-the-front-door.md). */
test("the public Worker asks its own zone through the front door", () => {
  const config = readFileSync(new URL("../../wrangler.toml", import.meta.url), "utf8");
  const flags = [...config.matchAll(/^\s*compatibility_flags = (\[.*\])$/gm)].map(
    ([, list = "[]"]) => JSON.parse(list) as readonly string[],
  );
  expect(flags.length).toBeGreaterThan(0);
  for (const one of flags) expect(one).toContain("global_fetch_strictly_public");
});
