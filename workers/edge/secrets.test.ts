import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { secretByName, secretOf, signingSecretByName } from "./secrets.ts";

const random = "q0vUyWm5hT1bJr8sKf3ZxPz7Ld2NcA9eGtXoRi4wEYk=";
const secrets: Cloudflare.Env = { ...env, DEMO_JWT_SECRET: "demo", EDGEWISE_SECRET: "own" };

test("a tenant's secret is found by a name that ends in _SECRET, and the key of all hashes never", () => {
  expect(secretByName(secrets, "DEMO_JWT_SECRET")).toBe("demo");
  expect(secretByName(secrets, "EDGEWISE_SECRET")).toBeUndefined();
  expect(secretByName(secrets, "ENVIRONMENT")).toBeUndefined();
});

test("the demo secret signs no request in production, under whatever name it turns up", () => {
  const named = { ...secrets, ACME_SECRET: "demo", OTHER_SECRET: random, WEAK_SECRET: "changeme".repeat(5) };
  for (const name of ["DEMO_JWT_SECRET", "ACME_SECRET"]) {
    expect(signingSecretByName({ ...named, ENVIRONMENT: "local" }, name)).toBe("demo");
    expect(signingSecretByName({ ...named, ENVIRONMENT: "production" }, name)).toBeUndefined();
  }
  expect(signingSecretByName({ ...named, ENVIRONMENT: "production" }, "OTHER_SECRET")).toBe(random);
  expect(signingSecretByName({ ...named, ENVIRONMENT: "local" }, "WEAK_SECRET")).toBe("changeme".repeat(5));
  expect(signingSecretByName({ ...named, ENVIRONMENT: "production" }, "WEAK_SECRET")).toBeUndefined();
});

test.each([
  ["sixteen-letters!", "is no 32 random bytes"],
  ["changemechangemechangemechangeme", "is no 32 random bytes"],
  ["0".repeat(64), "is no 32 random bytes"],
  ["", "is needed"],
])(
  "the key of all hashes is not %s in production: whoever guesses it makes ids, keys and receipts",
  (secret, message) => {
    expect(() => secretOf({ ...env, ENVIRONMENT: "production", EDGEWISE_SECRET: secret })).toThrow(message);
  },
);

test("the key of all hashes is no other secret in production, which somebody else may know", () => {
  const production: Cloudflare.Env = { ...env, ENVIRONMENT: "production", EDGEWISE_SECRET: random };
  expect(secretOf(production)).toBe(random);
  expect(() => secretOf({ ...production, PLATFORM_JWT_SECRET: random })).toThrow(
    "EDGEWISE_SECRET: is PLATFORM_JWT_SECRET as well",
  );
  const named = Object.assign({ ...production }, { ACME_SECRET: random });
  expect(() => secretOf(named)).toThrow("EDGEWISE_SECRET: is ACME_SECRET as well");
  // On a laptop it is what its owner likes.
  expect(secretOf({ ...env, ENVIRONMENT: "local", EDGEWISE_SECRET: "sixteen-letters!" })).toBe(
    "sixteen-letters!",
  );
});
