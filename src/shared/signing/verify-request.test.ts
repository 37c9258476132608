import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { SignatureKeys } from "./signature-key.ts";
import { signatureAlgorithms } from "./signing-policy.ts";
import {
  fixtureSecret,
  received,
  signingFixture,
  signPlain,
  type PlainRequest,
  type SigningFixture,
} from "./signing-fixture.ts";
import { nonceLength, requiredComponents, verifyRequest } from "./verify-request.ts";

const nowMs = 1_790_000_000_000;
const request: PlainRequest = {
  method: "POST",
  url: "https://api.example.com/v1/chat/completions?a=1&b=%20",
  body: '{"model":"auto","messages":[{"role":"user","content":"Grüße"}]}',
  covered: { authorization: "Bearer token" },
};

let fixture: SigningFixture;
const keys = new SignatureKeys((name) => (name === "SIGNING_TEST_SECRET" ? fixtureSecret : undefined));
beforeAll(async () => {
  fixture = await signingFixture();
});

type Fields = Record<string, string>;

async function signed(
  algorithm: (typeof signatureAlgorithms)[number] = "ed25519",
  at = nowMs,
): Promise<Fields> {
  const fields = await signPlain(request, fixture.identities[algorithm], at);
  return { ...fields, ...request.covered };
}

async function verdict(fields: Fields, sent: PlainRequest = request, at = nowMs): Promise<string> {
  const result = await verifyRequest(received(sent, fields), fixture.policy, (key) => keys.get(key), at);
  if (result === null) return "unsigned";
  if (result.ok) return "good";
  return result.error.kind === "invalid" ? result.error.detail : result.error.kind;
}

describe.each(signatureAlgorithms)("%s", (algorithm) => {
  test("a signed request is good, and says which nonce is to be remembered until when", async () => {
    const fields = await signed(algorithm);
    const result = await verifyRequest(
      received(request, fields),
      fixture.policy,
      (key) => keys.get(key),
      nowMs,
    );
    expect(result).toMatchObject({ ok: true, value: { keyId: fixture.identities[algorithm].keyId } });
    if (result?.ok !== true) throw new Error("not verified");
    // Longer than its window, which may be made longer while a captured request is about.
    expect(result.value.untilMs).toBe(nowMs + 600_000);
  });

  test("any flipped character of what is covered is refused", async () => {
    const fields = await signed(algorithm);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(
          "method",
          "url",
          "body",
          "content-digest",
          "signature-input",
          "signature",
          "authorization",
        ),
        fc.nat(),
        fc.integer({ min: 1, max: 93 }),
        async (part, position, shift) => {
          const flip = (text: string): string => {
            const at = position % text.length;
            const code = 33 + ((text.charCodeAt(at) - 33 + shift) % 94);
            return text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
          };
          const changed = { ...fields };
          let sent = request;
          if (part === "method" || part === "body") sent = { ...request, [part]: flip(request[part]) };
          else if (part === "url") {
            const path = "/v1/chat/completions?a=1&b=%20";
            sent = { ...request, url: `https://api.example.com${flip(path)}` };
            // Another fragment is the same request: it is never sent.
            if (sent.url.includes("#")) return;
          } else changed[part] = flip(fields[part] ?? "");
          const found = await verdict(changed, sent);
          // Its label means nothing, and names the pair of fields alone: changed in one of them, they don't meet.
          expect([part, position, shift, found]).not.toContain("good");
          expect(found).not.toBe("unsigned");
        },
      ),
      { numRuns: 400 },
    );
  });

  test("it holds for the host it was signed for alone", async () => {
    const sent = { ...request, url: request.url.replace("api.", "api2.") };
    expect(await verdict(await signed(algorithm), sent)).toBe("signature is wrong");
  });
});

test("an unsigned request is told from a badly signed one", async () => {
  expect(await verdict({})).toBe("unsigned");
  expect(await verdict({ signature: "x=:AAAA:" })).toBe("no signature is by a key of this tenant");
  expect(await verdict({ "signature-input": "x=()" })).not.toBe("unsigned");
});

describe("a signature of somebody else's, such as a proxy's or one for another service", () => {
  const others = {
    "signature-input":
      'sig2=("@authority");created=1790000000;keyid="proxy-7";alg="ed25519";tag="web-bot-auth"',
    signature: "sig2=:AAAA:",
  };
  const optional = async (fields: Fields): Promise<string> => {
    const policy = { ...fixture.policy, policy: "optional" } as const;
    const result = await verifyRequest(received(request, fields), policy, (key) => keys.get(key), nowMs);
    if (result === null) return "unsigned";
    if (result.ok) return "good";
    return result.error.kind === "invalid" ? result.error.detail : result.error.kind;
  };
  const none = "no signature is by a key of this tenant";

  test("is none where signatures are optional, and no proof where they are required", async () => {
    expect(await optional(others)).toBe("unsigned");
    expect(await verdict(others)).toBe(none);
  });

  test("stands beside the tenant's own, which must be right", async () => {
    const own = await signed();
    const both = {
      ...own,
      "signature-input": `${others["signature-input"]}, ${own["signature-input"]}`,
      signature: `${others.signature}, ${own["signature"]}`,
    };
    expect(await optional(both)).toBe("good");
    expect(await optional({ ...both, authorization: "Bearer another" })).toBe("signature is wrong");
  });

  test("is told apart by the key that it names, and by nothing less", async () => {
    const input = others["signature-input"];
    expect(await optional({ ...others, "signature-input": input.replace(';keyid="proxy-7"', "") })).toBe(
      none,
    );
    expect(await optional({ ...others, "signature-input": input.replace("proxy-7", "edge-1") })).not.toBe(
      "unsigned",
    );
    expect(await optional({ "signature-input": input })).toBe(none);
    expect(await optional({ signature: others.signature })).toBe(none);
    expect(await optional({ ...others, signature: "sig3=:AAAA:" })).toBe(none);
    expect(await optional({ ...others, "signature-input": "sig2=(" })).toBe("signature fields are malformed");
  });
});

test.each(requiredComponents)("%s must be covered", async (component) => {
  const fields = await signed();
  const input = fields["signature-input"] ?? "";
  expect(
    await verdict({ ...fields, "signature-input": input.replace(`"${component}"`, "").replace("( ", "(") }),
  ).toBe(`${component} is not covered`);
});

test.each([
  ["created", /;created=\d+/, "created is missing"],
  ["nonce", /;nonce="[^"]*"/, /^nonce is missing/],
  ["keyid", /;keyid="[^"]*"/, "no signature is by a key of this tenant"],
  ["alg", /;alg="[^"]*"/, "alg is not its key's"],
])("without %s it is refused", async (_, parameter, detail) => {
  const fields = await signed();
  const input = (fields["signature-input"] ?? "").replace(parameter, "");
  expect(await verdict({ ...fields, "signature-input": input })).toMatch(detail);
});

test("an algorithm that is not the key's is refused before anything is computed", async () => {
  const fields = await signed("ed25519");
  const input = (fields["signature-input"] ?? "").replace("ed25519", "hmac-sha256");
  expect(await verdict({ ...fields, "signature-input": input })).toBe("alg is not its key's");
});

describe("time", () => {
  test.each([
    ["at the window's last millisecond", 299_999, "good"],
    ["at its end", 300_000, "created is too long ago"],
    ["as far ahead as clocks may be", -30_000, "good"],
    ["further ahead", -31_000, "created is in the future"],
  ])("%s", async (_, laterMs, expected) => {
    expect(await verdict(await signed(), request, nowMs + laterMs)).toBe(expected);
  });

  test("expires ends it earlier, and never before created", async () => {
    const bytes = new TextEncoder().encode(request.body);
    const { signRequest } = await import("./sign-request.ts");
    const sign = (expiresInSeconds: number) =>
      signRequest({ ...request, body: bytes }, fixture.identities.ed25519, {
        nowMs,
        nonce: crypto.randomUUID(),
        expiresInSeconds,
      });
    const covered = { authorization: "Bearer token" };
    expect(await verdict({ ...(await sign(10)), ...covered }, request, nowMs + 9_999)).toBe("good");
    expect(await verdict({ ...(await sign(10)), ...covered }, request, nowMs + 10_000)).toBe(
      "it has expired",
    );
    expect(await verdict({ ...(await sign(-1)), ...covered })).toBe("expires is malformed");
  });
});

describe("hostile fields", () => {
  test.each([
    ["a component twice", '("@method" "@method" "@authority" "@path" "@query" "content-digest")'],
    [
      "a component that is not in the message",
      '("@method" "@authority" "@path" "@query" "content-digest" "x-none")',
    ],
    ["an unknown derived one", '("@method" "@authority" "@path" "@query" "content-digest" "@other")'],
    ["a field in capitals", '("@method" "@authority" "@path" "@query" "content-digest" "Authorization")'],
    ["a flag", '("@method" "@authority" "@path" "@query" "content-digest" "authorization";bs)'],
  ])("%s is refused", async (_, list) => {
    const fields = await signed();
    const input = (fields["signature-input"] ?? "").replace(/\(.*\)/, list);
    expect(await verdict({ ...fields, "signature-input": input })).toBe(
      "a covered component is unknown or missing",
    );
  });

  test.each([
    ["a nonce that is too short", "a".repeat(nonceLength.min - 1)],
    ["a nonce that is too long", "a".repeat(nonceLength.max + 1)],
  ])("%s is refused, though it is signed", async (_, nonce) => {
    const fields = await signPlain(request, fixture.identities.ed25519, nowMs, nonce);
    expect(await verdict({ ...fields, ...request.covered })).toMatch(/^nonce is missing/);
  });

  test("a digest of another algorithm alone proves nothing", async () => {
    const plain = { ...request, covered: {} };
    const { signRequest } = await import("./sign-request.ts");
    const fields = await signRequest({ ...plain, body: new Uint8Array() }, fixture.identities.ed25519, {
      nowMs,
      nonce: crypto.randomUUID(),
    });
    expect(await verdict(fields, plain)).toBe("content-digest is different");
  });

  test("the secret of a key that is not there, or is too short, opens nothing", async () => {
    const short = new SignatureKeys(() => "short");
    const none = new SignatureKeys(() => undefined);
    const fields = await signed("hmac-sha256");
    for (const these of [short, none]) {
      const result = await verifyRequest(
        received(request, fields),
        fixture.policy,
        (key) => these.get(key),
        nowMs,
      );
      expect(result).toMatchObject({ ok: false, error: { detail: "its key is unusable" } });
    }
  });

  test("arbitrary fields never throw", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ maxLength: 200 }),
        fc.string({ maxLength: 200 }),
        async (input, signature) => {
          expect(await verdict({ "signature-input": input, signature })).not.toBe("good");
        },
      ),
    );
  });
});
