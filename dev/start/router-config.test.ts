import { expect, test } from "vitest";
import { variablesOf } from "../local-secrets.ts";
import { secretsFile } from "./router-config.ts";

test("the router gets the origins' secrets as they are, and no others", () => {
  const origins = {
    ORIGIN_KEY: "sk-abc",
    ORIGIN_TWO_LINES: "first\nsecond",
    ORIGIN_BACKSLASH: "a\\nb",
    ORIGIN_QUOTED: `it's "so"`,
    ORIGIN_SIGNING_KEY: "hmac-sha256:k1:AAAA-_==",
  };
  const all = new Map(Object.entries({ EDGEWISE_SECRET: "edge", ...origins, NOT_ORIGIN_X: "x" }));
  expect(Object.fromEntries(variablesOf(secretsFile(all)))).toEqual(origins);
  expect(() => secretsFile(new Map([["ORIGIN_ODD", "'`\""]]))).toThrow("ORIGIN_ODD in .dev.vars holds");
});
