import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { checkVariables } from "./variables.ts";

test("variables that mean something pass, also where the archive is not spoken of", () => {
  checkVariables(env);
  const { ARCHIVE: _, ...without } = env;
  checkVariables({ ...without, ENVIRONMENT: "production", ROUTER: "service" });
});

test.each([
  ["ENVIRONMENT", "Production", "ENVIRONMENT: is something else, and must be local or production"],
  ["ENVIRONMENT", undefined, "ENVIRONMENT: is not set, and must be local or production"],
  ["ROUTER", "Service", "ROUTER: is something else, and must be in-process or service"],
  ["ARCHIVE", "true", "ARCHIVE: is something else, and must be off or on"],
])(
  "%s as %s would mean what nobody said: the Worker does not start, and says why",
  (name, value, message) => {
    expect(() => checkVariables(Object.assign({ ...env }, { [name]: value }))).toThrow(message);
  },
);
