/** How long a token that was verified is taken without being verified again, and by whom. */
import { describe, expect, test } from "vitest";
import { rememberedLimits } from "./identify.ts";
import {
  acme,
  globex,
  goodClaims,
  identityBench,
  nowSeconds,
  signClaims,
  storeOf,
} from "./identity-fixture.ts";

describe("a remembered token", () => {
  test("is answered at once, by the very same object", async () => {
    const bench = await identityBench();
    const token = await signClaims();
    const first = await bench.identify(token);
    const second = bench.raw(`Bearer ${token}`);
    expect(second).toBe(first);
  });

  test("is checked again after a minute, and refused after its expiry", async () => {
    const bench = await identityBench();
    const token = await signClaims({ ...goodClaims, exp: nowSeconds + 45 });
    expect(await bench.identify(token)).toMatchObject({ ok: true });
    bench.advance(rememberedLimits.maxAgeMs - 1);
    expect(bench.raw(`Bearer ${token}`)).not.toBeInstanceOf(Promise);
    bench.advance(1);
    expect(bench.raw(`Bearer ${token}`)).toBeInstanceOf(Promise);
    expect(await bench.identify(token)).toMatchObject({ ok: true });
    // 45 s of life and 30 s of skew.
    bench.advance(15_000);
    expect(await bench.identify(token)).toMatchObject({ error: { detail: "token has expired" } });
  });

  test("is forgotten when its tenant's configuration changes", async () => {
    const bench = await identityBench();
    const token = await signClaims({ ...goodClaims, scope: "tenant:admin" });
    expect(await bench.identify(token)).toMatchObject({ ok: true });
    const edited = { ...acme, issuers: [{ ...acme.issuers[0], grants: {} }] };
    for (const [key, value] of await storeOf([edited, globex])) bench.entries.set(key, value);
    bench.advance(59_000);
    expect(await bench.identify(token)).toMatchObject({ ok: true });
    bench.advance(1_000);
    const refreshing = await bench.identify(await signClaims({ ...goodClaims, sub: "bob" }));
    expect(refreshing).toMatchObject({ ok: true });
    await bench.settled();
    expect(await bench.identify(token)).toMatchObject({ error: { detail: "a scope is not granted" } });
  });

  test("is forgotten when its tenant is gone", async () => {
    const bench = await identityBench();
    const token = await signClaims();
    await bench.identify(token);
    bench.entries.clear();
    bench.advance(60_000);
    await bench.identify(token);
    await bench.settled();
    expect(await bench.identify(token)).toMatchObject({ error: { kind: "credential-invalid" } });
  });
});

describe("at an address that has shown too many wrong credentials", () => {
  const waiting = async (bench: Awaited<ReturnType<typeof identityBench>>, token: string) =>
    bench.raw(`Bearer ${token}`, undefined, "192.0.2.1", 40_000);
  const limited = { error: { kind: "address-limited", retryAfterMs: 40_000 } };

  test("a right one that is new is told from a wrong one by nothing, however often it is sent", async () => {
    const bench = await identityBench();
    const token = await signClaims();
    for (let sent = 0; sent < 3; sent += 1) expect(await waiting(bench, token)).toMatchObject(limited);
    expect(await waiting(bench, `${token.slice(0, -4)}AAAA`)).toMatchObject(limited);
  });

  test("one that was right a minute ago is verified again: others' mistakes don't lock it out", async () => {
    const bench = await identityBench();
    const token = await signClaims();
    expect(await bench.identify(token)).toMatchObject({ ok: true });
    for (let minute = 0; minute < 3; minute += 1) {
      bench.advance(rememberedLimits.maxAgeMs + 1_000);
      expect(await waiting(bench, token)).toMatchObject({ ok: true });
    }
    bench.advance(2 * rememberedLimits.maxAgeMs);
    expect(await waiting(bench, token)).toMatchObject(limited);
  });
});
