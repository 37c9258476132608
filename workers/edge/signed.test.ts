import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { base64url, hmac } from "../../src/shared/identity/identity-fixture.ts";
import { signingFixture, signPlain, type SigningFixture } from "../../src/shared/signing/signing-fixture.ts";
import { tenantEntries } from "../../src/shared/tenancy/tenant-entries.ts";
import { tenantConfigSchema } from "../../src/shared/tenancy/tenant-config.ts";

/** The edge Worker as it ships, with tenants that ask for signatures. */
let fixture: SigningFixture;
const url = "https://signed.test/v1/chat/completions";
const body = JSON.stringify({ model: "no-such-model", messages: [{ role: "user", content: "Grüße" }] });

beforeAll(async () => {
  fixture = await signingFixture();
  for (const policy of ["required", "optional"]) {
    const issuer = {
      issuer: `https://${policy}.example/`,
      audience: "edgewise",
      algorithms: ["HS256"],
      keys: { type: "secret", name: "DEMO_JWT_SECRET" },
    };
    const tenant = { id: `sign-${policy}`, issuers: [issuer], signing: { ...fixture.policy, policy } };
    for (const { key, value } of await tenantEntries(tenantConfigSchema.parse(tenant)))
      await env.CONFIG.put(key, value);
  }
});

async function tokenOf(policy: string): Promise<string> {
  const seconds = Math.floor(Date.now() / 1000);
  const claims = {
    iss: `https://${policy}.example/`,
    aud: "edgewise",
    sub: "alice",
    iat: seconds,
    exp: seconds + 600,
  };
  const text = `${base64url('{"alg":"HS256","typ":"JWT"}')}.${base64url(JSON.stringify(claims))}`;
  return `${text}.${base64url(await hmac(text, env.DEMO_JWT_SECRET ?? ""))}`;
}

async function send(policy: string, fields: Readonly<Record<string, string>>, sent = body) {
  const response = await exports.default.fetch(url, {
    method: "POST",
    body: sent,
    headers: {
      host: "signed.test",
      "content-type": "application/json",
      authorization: `Bearer ${await tokenOf(policy)}`,
      ...fields,
    },
  });
  const { error } = (await response.json()) as { error: { code: string } };
  return { status: response.status, code: error.code, headers: response.headers };
}

function sign(algorithm: "ed25519" | "hmac-sha256" = "ed25519", at = Date.now()) {
  return signPlain({ method: "POST", url, body }, fixture.identities[algorithm], at);
}

/** Past the signature, the body is read and its model looked for. */
const passed = { status: 404, code: "model_not_found" };
const refused = { status: 401, code: "invalid_signature" };

test.each(["ed25519", "hmac-sha256"] as const)(
  "a request signed with %s passes, its body whole",
  async (algorithm) => {
    expect(await send("required", await sign(algorithm))).toMatchObject(passed);
  },
);

describe("required", () => {
  test("an unsigned request is refused, and told what to sign", async () => {
    const answer = await send("required", {});
    expect(answer).toMatchObject(refused);
    expect(answer.headers.get("accept-signature")).toContain('"content-digest"');
    expect(answer.headers.get("www-authenticate")).toContain("Bearer");
  });

  test("another body under the same signature is refused", async () => {
    expect(await send("required", await sign(), body.replace("no-such", "another"))).toMatchObject(refused);
  });

  test("a signature that is too old is refused", async () => {
    expect(await send("required", await sign("ed25519", Date.now() - 301_000))).toMatchObject(refused);
  });
});

describe("optional", () => {
  test("an unsigned request passes", async () => {
    expect(await send("optional", {})).toMatchObject(passed);
  });

  test("a badly signed one does not", async () => {
    const fields = await sign();
    expect(
      await send("optional", { ...fields, signature: fields.signature.replace(/:./, ":~") }),
    ).toMatchObject(refused);
  });
});

test.each([2, 20])("of %i copies at once one is let in", async (copies) => {
  const fields = await sign();
  const answers = await Promise.all(Array.from({ length: copies }, () => send("required", fields)));
  expect(answers.filter(({ status }) => status === 404)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(copies - 1);
  expect(await send("required", fields)).toMatchObject(refused);
});

test("a signed HEAD with a length of nothing is answered: its body is nobody's to read", async () => {
  const models = "https://signed.test/v1/models";
  const fields = await signPlain(
    { method: "HEAD", url: models, body: "" },
    fixture.identities.ed25519,
    Date.now(),
  );
  const authorization = `Bearer ${await tokenOf("required")}`;
  const response = await exports.default.fetch(models, {
    method: "HEAD",
    headers: { host: "signed.test", authorization, "content-length": "0", ...fields },
  });
  expect(response.status).toBe(200);
});
