import { exportJWK } from "jose/key/export";
import { generateKeyPair } from "jose/key/generate/keypair";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Background } from "../contracts/background.ts";
import {
  goodClaims,
  identityBench,
  nowSeconds,
  signClaims,
  signWithKey,
  startMs,
} from "./identity-fixture.ts";
import { keySetTimes, RemoteKeySet, type StoredKeySet } from "./remote-key-set.ts";

beforeEach(() => void vi.useFakeTimers({ now: startMs }));
afterEach(() => void vi.useRealTimers());

const url = "https://id.acme.test/keys";
const tenant = {
  id: "acme",
  issuers: [
    {
      issuer: "https://id.acme.test",
      audience: "edgewise",
      algorithms: ["ES256"],
      keys: { type: "jwks_url", url, max_stale_seconds: 3600 },
    },
  ],
};

const first = await generateKeyPair("ES256", { extractable: true });
const second = await generateKeyPair("ES256", { extractable: true });
const firstJwk = { ...(await exportJWK(first.publicKey)), kid: "first", use: "sig", alg: "ES256" };
const secondJwk = { ...(await exportJWK(second.publicKey)), kid: "second" };
const setOf = (...keys: unknown[]) => JSON.stringify({ keys });

const claims = { ...goodClaims, exp: nowSeconds + 100_000 };
const tokenOf = (key: CryptoKey, kid: string | undefined, user = "alice") =>
  signWithKey(key, { alg: "ES256", ...(kid === undefined ? {} : { kid }) }, { ...claims, sub: user });

/** An isolate with its issuer's URL, and the cache that isolates share, both set by hand. */
async function isolate(shared = new Map<string, StoredKeySet>(), published: string | null = setOf(firstJwk)) {
  const issuer = { published, fetches: 0 };
  const bench = await identityBench({
    tenantConfigs: [tenant],
    now: () => Date.now(),
    fetchKeySet: async () => {
      issuer.fetches += 1;
      return issuer.published === null
        ? { ok: false, error: "answered 500" }
        : { ok: true, value: issuer.published };
    },
    keySetCache: {
      get: async (name) => shared.get(name) ?? null,
      put: async (name, stored) => void shared.set(name, stored),
    },
  });
  return { ...bench, issuer, shared };
}

const accepted = { ok: true };
const refused = { error: { kind: "credential-invalid" } };
const unavailable = { error: { kind: "dependency-unavailable", component: "keys" } };

test("a token is verified by the key that its kid names", async () => {
  const { identify, issuer } = await isolate();
  expect(await identify(await tokenOf(first.privateKey, "first"))).toMatchObject(accepted);
  expect(await identify(await tokenOf(second.privateKey, "first"))).toMatchObject(refused);
  expect(issuer.fetches).toBe(1);
});

test("without a kid it is verified where one key alone fits, and refused where several do", async () => {
  const token = await tokenOf(first.privateKey, undefined);
  expect(await (await isolate()).identify(token)).toMatchObject(accepted);
  const two = await isolate(undefined, setOf(firstJwk, secondJwk));
  expect(await two.identify(token)).toMatchObject({ error: { detail: "key is ambiguous" } });
});

test("keys that may not verify are as if they weren't there", async () => {
  for (const odd of [
    { ...firstJwk, use: "enc" },
    { ...firstJwk, key_ops: ["encrypt"] },
    { ...firstJwk, alg: "ES384" },
    { ...firstJwk, d: "AAAA" },
    { ...firstJwk, crv: "P-384" },
    { ...firstJwk, x: `${firstJwk.x}=` },
    { kty: "oct", k: "c2VjcmV0", kid: "first" },
  ]) {
    const { identify } = await isolate(undefined, setOf(odd, secondJwk));
    expect(await identify(await tokenOf(first.privateKey, "first"))).toMatchObject(refused);
    expect(await identify(await tokenOf(second.privateKey, "second"))).toMatchObject(accepted);
  }
});

test("a point off its curve is refused, not thrown", async () => {
  const { identify } = await isolate(undefined, setOf({ ...firstJwk, x: firstJwk.y }));
  expect(await identify(await tokenOf(first.privateKey, "first"))).toMatchObject({
    error: { detail: "key is unusable" },
  });
});

test("a public key is no shared secret: HS256 signed with it is refused", async () => {
  const { identify } = await isolate();
  for (const secret of [JSON.stringify(firstJwk), String(firstJwk.x), setOf(firstJwk)]) {
    const token = await signClaims(claims, { alg: "HS256", kid: "first" }, secret);
    expect(await identify(token)).toMatchObject({ error: { detail: "algorithm is not the issuer's" } });
  }
});

test("a storm on a cold isolate is one fetch", async () => {
  const { identify, issuer } = await isolate();
  const tokens = await Promise.all(
    Array.from({ length: 50 }, (_, at) => tokenOf(first.privateKey, "first", `user${at}`)),
  );
  for (const result of await Promise.all(tokens.map((token) => identify(token))))
    expect(result).toMatchObject(accepted);
  expect(issuer.fetches).toBe(1);
});

describe("unknown kid", () => {
  test("causes one fetch per 30 s, however many come", async () => {
    const { identify, issuer } = await isolate();
    await identify(await tokenOf(first.privateKey, "first"));
    for (let second = 0; second < 120; second += 1) {
      vi.advanceTimersByTime(1000);
      const storm = [0, 1, 2].map(async (at) =>
        identify(await tokenOf(first.privateKey, `made-up-${second}-${at}`)),
      );
      for (const result of await Promise.all(storm)) expect(result).toMatchObject(refused);
    }
    expect(issuer.fetches).toBe(1 + 120_000 / keySetTimes.unknownKidMs);
  });

  test("causes no more while the issuer is down, of whose answer nothing can be known", async () => {
    const { identify, issuer } = await isolate();
    await identify(await tokenOf(first.privateKey, "first"));
    issuer.published = null;
    for (let second = 0; second < 120; second += 1) {
      vi.advanceTimersByTime(1000);
      await identify(await tokenOf(first.privateKey, `made-up-${second}`));
    }
    expect(issuer.fetches).toBe(1 + 120_000 / keySetTimes.unknownKidMs);
  });

  test("finds a new key within 30 s of its publication", async () => {
    const { identify, issuer } = await isolate();
    await identify(await tokenOf(first.privateKey, "first"));
    issuer.published = setOf(firstJwk, secondJwk);
    vi.advanceTimersByTime(keySetTimes.unknownKidMs);
    expect(await identify(await tokenOf(second.privateKey, "second"))).toMatchObject(accepted);
    expect(issuer.fetches).toBe(2);
  });

  test("is found in another isolate's copy without a fetch", async () => {
    const shared = new Map<string, StoredKeySet>();
    const one = await isolate(shared);
    await one.identify(await tokenOf(first.privateKey, "first"));
    vi.advanceTimersByTime(keySetTimes.unknownKidMs);
    shared.set(url, { text: setOf(firstJwk, secondJwk), fetchedAtMs: Date.now() - 1 });
    expect(await one.identify(await tokenOf(second.privateKey, "second"))).toMatchObject(accepted);
    expect(one.issuer.fetches).toBe(1);
  });

  test("during an outage is 503: the key may be new", async () => {
    const { identify, issuer } = await isolate();
    await identify(await tokenOf(first.privateKey, "first"));
    issuer.published = null;
    vi.advanceTimersByTime(keySetTimes.unknownKidMs);
    expect(await identify(await tokenOf(second.privateKey, "second"))).toMatchObject(unavailable);
    expect(await identify(await tokenOf(first.privateKey, "first", "bob"))).toMatchObject(accepted);
  });
});

describe("JWKS endpoint down", () => {
  test("last good keys serve as long as policy says, then 503", async () => {
    const { identify, issuer, settled, faults } = await isolate();
    await identify(await tokenOf(first.privateKey, "first"));
    issuer.published = null;
    const untilMs = startMs + keySetTimes.freshMs + 3_600_000;
    for (let user = 0; Date.now() < untilMs; user += 1) {
      const result = await identify(await tokenOf(first.privateKey, "first", `user${user}`));
      expect(result).toMatchObject(accepted);
      await settled();
      vi.advanceTimersByTime(60_000);
    }
    expect(await identify(await tokenOf(first.privateKey, "first", "late"))).toMatchObject(unavailable);
    expect(faults.length).toBeGreaterThan(10);
    expect(faults[0]).toBe(`identity: key set ${url}: answered 500`);
  });

  test("with no last good keys it is 503, never 401, and asked every 5 s only", async () => {
    const { identify, issuer } = await isolate(undefined, null);
    for (let second = 0; second < 20; second += 1) {
      const result = await identify(await tokenOf(first.privateKey, "first", `user${second}`));
      expect(result).toMatchObject(unavailable);
      vi.advanceTimersByTime(1000);
    }
    expect(issuer.fetches).toBe(20_000 / keySetTimes.retryMs);
    issuer.published = setOf(firstJwk);
    vi.advanceTimersByTime(keySetTimes.retryMs);
    expect(await identify(await tokenOf(first.privateKey, "first"))).toMatchObject(accepted);
  });

  test("an isolate that starts during the outage takes the copy of the others", async () => {
    const shared = new Map<string, StoredKeySet>();
    await (await isolate(shared)).identify(await tokenOf(first.privateKey, "first"));
    vi.advanceTimersByTime(1_800_000);
    const late = await isolate(shared, null);
    expect(await late.identify(await tokenOf(first.privateKey, "first"))).toMatchObject(accepted);
    expect(late.issuer.fetches).toBe(1);
  });

  test.each([
    "",
    "<html>",
    "[]",
    "{}",
    '{"keys":{}}',
    '{"keys":[1]}',
    JSON.stringify({ keys: Array.from({ length: 65 }, () => ({})) }),
  ])("the answer %j is no key set", async (published) => {
    const { identify, faults } = await isolate(undefined, published);
    expect(await identify(await tokenOf(first.privateKey, "first"))).toMatchObject(unavailable);
    expect(faults[0]).toContain("is no key set");
  });
});

describe("freshness", () => {
  test("after five minutes the set is refreshed in the background, and the same one kept if it is the same", async () => {
    const { identify, issuer, settled, raw } = await isolate();
    const token = await tokenOf(first.privateKey, "first");
    await identify(token);
    vi.advanceTimersByTime(keySetTimes.freshMs);
    await identify(token);
    await settled();
    expect(issuer.fetches).toBe(2);
    expect(raw(`Bearer ${token}`)).not.toBeInstanceOf(Promise);
  });

  test("a key that is withdrawn is gone after the refresh, for remembered tokens too", async () => {
    const { identify, issuer, settled } = await isolate(undefined, setOf(firstJwk, secondJwk));
    const token = await tokenOf(second.privateKey, "second");
    expect(await identify(token)).toMatchObject(accepted);
    issuer.published = setOf(firstJwk);
    vi.advanceTimersByTime(keySetTimes.freshMs);
    expect(await identify(await tokenOf(first.privateKey, "first"))).toMatchObject(accepted);
    await settled();
    expect(await identify(token)).toMatchObject(refused);
  });

  test("an answer that a later question's has overtaken does not bring a withdrawn key back", async () => {
    const answers: ((text: string) => void)[] = [];
    const stored: string[] = [];
    const set = new RemoteKeySet({
      url,
      maxStaleMs: 3_600_000,
      fetch: () => new Promise((resolve) => void answers.push((value) => resolve({ ok: true, value }))),
      cache: { get: async () => null, put: async (_url, { text }) => void stored.push(text) },
      now: () => Date.now(),
      report: () => undefined,
    });
    const background: Background = { run: () => undefined };
    const opening = set.find("first", "ES256", background);
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    answers[0]?.(setOf(firstJwk));
    expect(await opening).toMatchObject({ result: "found" });
    // A refresh that is due, and behind it one for a key that is new.
    vi.advanceTimersByTime(keySetTimes.freshMs);
    set.current(background);
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    vi.advanceTimersByTime(keySetTimes.unknownKidMs);
    const finding = set.find("second", "ES256", background);
    await vi.waitFor(() => expect(answers).toHaveLength(3));
    answers[2]?.(setOf(secondJwk));
    expect(await finding).toMatchObject({ result: "found" });
    answers[1]?.(setOf(firstJwk));
    await vi.advanceTimersByTimeAsync(1);
    expect(await set.find("first", "ES256", background)).toMatchObject({ result: "unknown" });
    expect(stored).toEqual([setOf(firstJwk), setOf(secondJwk)]);
  });

  test("a copy dated in the future is not taken", async () => {
    const shared = new Map([[url, { text: setOf(secondJwk), fetchedAtMs: startMs + 1_000_000 }]]);
    const { identify } = await isolate(shared);
    expect(await identify(await tokenOf(first.privateKey, "first"))).toMatchObject(accepted);
  });
});

test("a plain http key set is refused in production", async () => {
  const issuers = [{ ...tenant.issuers[0], keys: { type: "jwks_url", url: "http://localhost:1/keys" } }];
  const bench = await identityBench({ environment: "production", tenantConfigs: [{ id: "acme", issuers }] });
  expect(await bench.identify(await tokenOf(first.privateKey, "first"))).toMatchObject(unavailable);
});
