import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hostileTokens } from "./hostile-tokens-fixture.ts";
import {
  acme,
  goodClaims,
  identityBench,
  nowSeconds,
  secrets,
  signClaims,
  signTexts,
} from "./identity-fixture.ts";

const hostile = await hostileTokens();

test("a token of the tenant's issuer gives its principal and configuration", async () => {
  const bench = await identityBench();
  const result = await bench.identify(
    await signClaims({ ...goodClaims, org: "research", tier: "free", scope: "tenant:admin" }),
  );
  expect(result).toMatchObject({
    ok: true,
    value: {
      kind: "tenant",
      tenant: { id: "acme" },
      principal: {
        tenant: "acme",
        org: "research",
        user: "alice",
        tier: "free",
        scopes: new Set(["tenant:admin"]),
        proof: "jwt",
        expiresAtMs: (goodClaims.exp + 30) * 1000,
      },
    },
  });
});

test("without claims of its own a token gets the tenant's org, the default tier and no scope", async () => {
  const bench = await identityBench();
  expect(await bench.identify(await signClaims())).toMatchObject({
    value: { principal: { org: "acme", tier: "pro", scopes: new Set() } },
  });
});

test("an audience may be one of an array", async () => {
  const bench = await identityBench();
  const token = await signClaims({ ...goodClaims, aud: ["elsewhere", "edgewise"] });
  expect(await bench.identify(token)).toMatchObject({ ok: true });
});

test("the scheme is read in any case, and typ as RFC 9068 writes it", async () => {
  const bench = await identityBench();
  const token = await signClaims(goodClaims, { alg: "HS256", typ: "at+JWT", kid: "2026-11" });
  expect(await bench.raw(`bearer ${token}`)).toMatchObject({ ok: true });
});

test("no header is a missing credential", async () => {
  const bench = await identityBench();
  expect(bench.raw(null)).toEqual({ ok: false, error: { kind: "credential-missing" } });
});

test.each(["Basic YWxpY2U6cHc=", "Bearer", "Bearer ", "Bearer a b", "a.b.c"])(
  "the header %j is no credential that can be read, which its sender is told",
  async (header) => {
    const bench = await identityBench();
    expect(await bench.raw(header)).toMatchObject({
      error: { kind: "credential-invalid", credential: "form" },
    });
  },
);

test.each(["undefined", "null", "None", "$TOKEN", "${API_KEY}", "%TOKEN%", "{{token}}", "$a.b.c"])(
  "%s is a variable that nobody filled in, which its sender is told",
  async (credential) => {
    const bench = await identityBench();
    const refused = { error: { kind: "credential-invalid", credential: "unset" } };
    expect(await bench.raw(`Bearer ${credential}`)).toMatchObject(refused);
  },
);

test.each(["undefinedly", "nullify", "ew_local_$", "a$TOKEN"])("%s is a wrong key", async (credential) => {
  const bench = await identityBench();
  const refused = { error: { kind: "credential-invalid", credential: "key" } };
  expect(await bench.raw(`Bearer ${credential}`)).toMatchObject(refused);
});

describe("refused as an invalid credential, on the platform's host and on the tenant's own", () => {
  test.each([...hostile])("%s", async (_name, token) => {
    const bench = await identityBench();
    for (const host of ["api.edgewise.test", "chat.acme.test"]) {
      expect(await bench.identify(token, host)).toMatchObject({
        ok: false,
        error: { kind: "credential-invalid" },
      });
      // The second time is no other.
      expect(await bench.identify(token, host)).toMatchObject({ error: { kind: "credential-invalid" } });
    }
    expect(bench.faults).toEqual([]);
  });
});

test("an endless header is refused before anything else is done with it", async () => {
  const bench = await identityBench();
  expect(bench.raw(`Bearer ${"a.".repeat(100_000)}`)).toMatchObject({
    error: { detail: "token too long" },
  });
});

test("no changed character of a token goes unnoticed, and nothing makes it throw", async () => {
  const bench = await identityBench();
  const good = await signClaims();
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: good.length - 1 }), fc.string({ maxLength: 3 }), async (at, text) => {
      const changed = good.slice(0, at) + text + good.slice(at + 1);
      fc.pre(changed !== good);
      expect(await bench.identify(changed)).toMatchObject({ error: { kind: "credential-invalid" } });
    }),
    { numRuns: 500 },
  );
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary", maxLength: 200 }), async (header) => {
      expect(await bench.raw(header)).toMatchObject({ ok: false });
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (header, claims) => {
      const token = await signTexts(JSON.stringify(header), JSON.stringify(claims));
      expect(await bench.identify(token)).toMatchObject({ error: { kind: "credential-invalid" } });
    }),
  );
});

test("no claim of any shape makes it throw, or grants beyond the configuration", async () => {
  const bench = await identityBench();
  const claim = fc.oneof(fc.jsonValue(), fc.constantFrom("free", "pro", "enterprise", "tenant:admin"));
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.constantFrom("sub", "org", "tier", "scope", "nbf", "iat", "tenant"), claim),
      async (claims) => {
        const result = await bench.identify(await signClaims({ ...goodClaims, ...claims }));
        if (!result.ok) expect(result.error.kind).toBe("credential-invalid");
        else {
          const { principal } = result.value;
          expect(principal.tenant).toBe("acme");
          expect(["free", "pro"]).toContain(principal.tier);
          expect(["", "tenant:admin"]).toContain([...principal.scopes].join());
        }
      },
    ),
    { numRuns: 500 },
  );
});

describe("tenants", () => {
  test("a tenant's token is nobody's on another tenant's host, remembered or not", async () => {
    const bench = await identityBench();
    const token = await signClaims();
    expect(await bench.identify(token, "chat.globex.test")).toMatchObject({ ok: false });
    expect(await bench.identify(token, "chat.acme.test")).toMatchObject({ ok: true });
    expect(await bench.identify(token, "chat.globex.test")).toMatchObject({ ok: false });
    expect(await bench.identify(token, "api.edgewise.test")).toMatchObject({ ok: true });
  });

  test("a token signed by one tenant with another's issuer is refused", async () => {
    const bench = await identityBench();
    const claims = { ...goodClaims, iss: "https://id.globex.test" };
    expect(await bench.identify(await signClaims(claims))).toMatchObject({ ok: false });
    const theirs = await signClaims(claims, undefined, secrets["DEMO_JWT_SECRET"]);
    expect(await bench.identify(theirs)).toMatchObject({ value: { tenant: { id: "globex" } } });
  });

  test("a token for two tenants at once is refused", async () => {
    const shared = { ...acme.issuers[0], issuer: "https://shared.test", keys: acme.issuers[0]?.keys };
    const bench = await identityBench({
      tenantConfigs: [
        { id: "one", issuers: [{ ...shared, audience: "one" }] },
        { id: "two", issuers: [{ ...shared, audience: "two" }] },
      ],
    });
    const claims = { ...goodClaims, iss: "https://shared.test" };
    expect(await bench.identify(await signClaims({ ...claims, aud: "two" }))).toMatchObject({ ok: true });
    expect(await bench.identify(await signClaims({ ...claims, aud: ["one", "two"] }))).toMatchObject({
      ok: false,
    });
  });

  test("an issuer whose secret is missing or weak is our fault, not the caller's", async () => {
    for (const name of ["NO_SUCH_SECRET", "SHORT_SECRET"]) {
      const issuer = { ...acme.issuers[0], keys: { type: "secret", name } };
      const bench = await identityBench({ tenantConfigs: [{ ...acme, issuers: [issuer] }] });
      expect(await bench.identify(await signClaims())).toMatchObject({
        error: { kind: "dependency-unavailable", component: "keys" },
      });
      expect(bench.faults).toHaveLength(1);
    }
  });

  test("while an issuer changes its secret, tokens by the one before are good as well, and by a third none", async () => {
    const keys = { type: "secret", name: "ACME_JWT_SECRET", previous_name: "DEMO_JWT_SECRET" };
    const changing = { ...acme, issuers: [{ ...acme.issuers[0], keys }] };
    const bench = await identityBench({ tenantConfigs: [changing] });
    const by = (name: string) => signClaims(undefined, undefined, secrets[name]);
    for (const name of ["ACME_JWT_SECRET", "DEMO_JWT_SECRET"])
      expect(await bench.identify(await by(name))).toMatchObject({ ok: true });
    expect(await bench.identify(await by("PLATFORM_JWT_SECRET"))).toMatchObject({
      error: { kind: "credential-invalid" },
    });
    expect(bench.faults).toEqual([]);
    // The name outlived its secret: whoever signs by the new one is let in, and the operator hears of it.
    const left = { ...keys, previous_name: "NO_SUCH_SECRET" };
    const behind = await identityBench({
      tenantConfigs: [{ ...acme, issuers: [{ ...acme.issuers[0], keys: left }] }],
    });
    expect(await behind.identify(await by("ACME_JWT_SECRET"))).toMatchObject({ ok: true });
    expect(await behind.identify(await by("DEMO_JWT_SECRET"))).toMatchObject({ ok: false });
    expect(behind.faults).toHaveLength(1);
  });

  test("in production the secret before is held to what the secret is", async () => {
    const unguessed = "q7Zk2Vw9Xc4Lr8Tn1Bf6Hs3Jd5Mg0PyQ";
    const keys = { type: "secret", name: "ACME_JWT_SECRET", previous_name: "DEMO_JWT_SECRET" };
    const bench = await identityBench({
      environment: "production",
      tenantConfigs: [{ ...acme, issuers: [{ ...acme.issuers[0], keys }] }],
      secret: (name) => (name === "ACME_JWT_SECRET" ? unguessed : secrets[name]),
    });
    expect(await bench.identify(await signClaims(undefined, undefined, unguessed))).toMatchObject({
      ok: true,
    });
    expect(
      await bench.identify(await signClaims(undefined, undefined, secrets["DEMO_JWT_SECRET"])),
    ).toMatchObject({ error: { kind: "credential-invalid" } });
  });
});

describe("the platform's issuer", () => {
  const platformClaims = { ...goodClaims, iss: "edgewise-platform", sub: "operator" };
  const sign = (claims: object) =>
    signClaims({ ...platformClaims, ...claims }, undefined, secrets["PLATFORM_JWT_SECRET"]);

  test("grants platform scopes, at any host", async () => {
    const bench = await identityBench();
    const token = await sign({ scope: "platform:admin platform:metrics" });
    for (const host of ["api.edgewise.test", "chat.acme.test"])
      expect(await bench.identify(token, host)).toMatchObject({
        value: {
          kind: "platform",
          principal: { tenant: "platform", scopes: new Set(["platform:admin", "platform:metrics"]) },
        },
      });
  });

  test("grants nothing else, and no longer than a day", async () => {
    const bench = await identityBench();
    for (const claims of [{ scope: "tenant:admin" }, { scope: "platform:" }, { exp: nowSeconds + 90_000 }])
      expect(await bench.identify(await sign(claims))).toMatchObject({
        error: { kind: "credential-invalid" },
      });
  });

  test("is nobody where none is configured", async () => {
    const bench = await identityBench({ platform: null });
    expect(await bench.identify(await sign({}))).toMatchObject({ error: { kind: "credential-invalid" } });
  });
});

describe("in production", () => {
  test("the demo tenant is refused", async () => {
    const bench = await identityBench({
      environment: "production",
      tenantConfigs: [{ ...acme, id: "demo" }],
    });
    expect(await bench.identify(await signClaims())).toMatchObject({
      error: { kind: "credential-invalid" },
    });
  });

  test("the demo secret is refused under its own name and under another's", async () => {
    const demo = secrets["DEMO_JWT_SECRET"] ?? "";
    const named = await identityBench({ environment: "production" });
    const claims = { ...goodClaims, iss: "https://id.globex.test" };
    expect(await named.identify(await signClaims(claims, undefined, demo))).toMatchObject({
      error: { kind: "dependency-unavailable" },
    });
    const renamed = await identityBench({ environment: "production", secret: () => demo });
    expect(await renamed.identify(await signClaims(goodClaims, undefined, demo))).toMatchObject({
      error: { kind: "dependency-unavailable" },
    });
  });

  test("a secret that could be guessed verifies nothing: its issuer's tokens are anybody's", async () => {
    const guessed = "changeme".repeat(5);
    const token = await signClaims(goodClaims, undefined, guessed);
    const production = await identityBench({ environment: "production", secret: () => guessed });
    expect(await production.identify(token)).toMatchObject({ error: { kind: "dependency-unavailable" } });
    const local = await identityBench({ secret: () => guessed });
    expect(await local.identify(token)).toMatchObject({ ok: true });
  });
});
