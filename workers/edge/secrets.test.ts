import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { secretByName, signingSecretByName } from "./secrets.ts";

const secrets: Cloudflare.Env = { ...env, DEMO_JWT_SECRET: "demo", EDGEWISE_SECRET: "own" };

test("a tenant's secret is found by a name that ends in _SECRET, and the key of all hashes never", () => {
  expect(secretByName(secrets, "DEMO_JWT_SECRET")).toBe("demo");
  expect(secretByName(secrets, "EDGEWISE_SECRET")).toBeUndefined();
  expect(secretByName(secrets, "ENVIRONMENT")).toBeUndefined();
});

test("the demo secret signs no request in production, under whatever name it turns up", () => {
  const named = { ...secrets, ACME_SECRET: "demo", OTHER_SECRET: "other" };
  for (const name of ["DEMO_JWT_SECRET", "ACME_SECRET"]) {
    expect(signingSecretByName({ ...named, ENVIRONMENT: "local" }, name)).toBe("demo");
    expect(signingSecretByName({ ...named, ENVIRONMENT: "production" }, name)).toBeUndefined();
  }
  expect(signingSecretByName({ ...named, ENVIRONMENT: "production" }, "OTHER_SECRET")).toBe("other");
});
