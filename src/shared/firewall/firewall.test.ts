import { describe, expect, test } from "vitest";
import type { ClientFacts } from "./access-rules.ts";
import { AddressLimiter } from "./address-limiter.ts";
import { Firewall } from "./firewall.ts";
import { platformFirewallSchema, tenantFirewallSchema } from "./firewall-policy.ts";
import { createPolicySource, defaultPlatformFirewall } from "./policy-source.ts";

const background = { run: (_: string, work: Promise<unknown>) => void work };
const clean = "https://api.example.com/v1/chat/completions";
const attack = "https://api.example.com/v1/models?id=1'%20or%20'1'='1";

function bench(policy: object = {}) {
  let time = 1_000;
  const limiter = () => new AddressLimiter({ blockSize: 1, shared: null, now: () => time });
  const parsed = platformFirewallSchema.parse(policy);
  const firewall = new Firewall({ policy: () => parsed, requests: limiter(), failures: limiter() });
  return {
    firewall,
    advance: (ms: number) => (time += ms),
    screen: async (url: string, headers: Record<string, string> = {}, facts: ClientFacts = {}) =>
      firewall.screen({ url, headers: new Headers(headers) }, () => facts, background),
  };
}

describe("the platform's mode", () => {
  test("block refuses and says to the log alone which rule", async () => {
    expect(await bench().screen(attack)).toMatchObject({
      refusal: { kind: "blocked", rule: expect.stringMatching(/^942-\S+ query$/) as string },
    });
  });

  test("log lets pass and says so", async () => {
    const screening = await bench({ injection: "log" }).screen(attack);
    expect(screening.refusal).toBeNull();
    expect(screening.finding).toMatchObject({ place: "query" });
  });

  test("off looks at nothing, but a URL that reads in two ways is refused all the same", async () => {
    const { screen } = bench({ injection: "off" });
    expect(await screen(attack)).toEqual({ refusal: null, finding: null });
    expect(await screen("https://api.example.com/v1/%2576")).toMatchObject({
      refusal: { kind: "url-invalid" },
    });
  });

  test("a user agent's verdict is remembered, the good and the bad", async () => {
    const { screen } = bench();
    const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0";
    for (let time = 0; time < 2; time += 1) {
      expect((await screen(clean, { "user-agent": agent })).refusal).toBeNull();
      expect((await screen(clean, { "user-agent": "() { :; }; /bin/sh" })).refusal).not.toBeNull();
    }
  });
});

describe("the tenant's own firewall", () => {
  const request = { url: attack, headers: new Headers() };
  const tenant = (firewall: object) => ({ firewall: tenantFirewallSchema.parse(firewall) });

  test("blocks what the platform logged, or did not look for", async () => {
    for (const platform of ["log", "off"]) {
      const { firewall, screen } = bench({ injection: platform });
      const { finding } = await screen(attack);
      const screening = firewall.screenCaller(tenant({ injection: "block" }), request, () => ({}), finding);
      expect(screening.refusal).toMatchObject({ kind: "blocked" });
    }
  });

  test("does not undo the platform's", async () => {
    const { screen } = bench({ rules: [{ name: "n", action: "deny", ip: ["192.0.2.0/24"] }] });
    expect((await screen(clean, {}, { ip: "192.0.2.1" })).refusal).toMatchObject({ kind: "blocked" });
    expect((await screen(clean, {}, { ip: "198.51.100.1" })).refusal).toBeNull();
  });
});

describe("addresses", () => {
  const from = (ip: string) => ({ "cf-connecting-ip": ip });

  test("a flood from one address waits; another's requests pass", async () => {
    const { screen, advance } = bench({ addresses: { requests_per_minute: 3 } });
    for (let request = 0; request < 3; request += 1)
      expect((await screen(clean, from("192.0.2.1"))).refusal).toBeNull();
    expect((await screen(clean, from("192.0.2.1"))).refusal).toEqual({
      kind: "address-limited",
      retryAfterMs: 60_000,
    });
    expect((await screen(clean, from("192.0.2.2"))).refusal).toBeNull();
    advance(60_000);
    expect((await screen(clean, from("192.0.2.1"))).refusal).toBeNull();
  });

  test("one host can't count as many by its lower 64 bits", async () => {
    const { screen } = bench({ addresses: { requests_per_minute: 3 } });
    for (let request = 0; request < 3; request += 1) await screen(clean, from(`2001:db8::${request}`));
    expect((await screen(clean, from("2001:db8::ffff"))).refusal).not.toBeNull();
  });

  test("Workers of other zones share one address of Cloudflare's; each zone counts for its own", async () => {
    const { screen, firewall } = bench({
      addresses: { requests_per_minute: 3, failed_credentials_per_minute: 1 },
    });
    const worker = (zone: string) => ({ ...from("2a06:98c0:3600::103"), "cf-worker": zone });
    for (let request = 0; request < 4; request += 1) await screen(clean, worker("flood.example"));
    expect((await screen(clean, worker("FLOOD.example"))).refusal).not.toBeNull();
    expect((await screen(clean, worker("honest.example"))).refusal).toBeNull();
    const guessing = new Headers(worker("flood.example"));
    for (let guess = 0; guess < 2; guess += 1) await firewall.credentialFailed(guessing, background);
    expect(firewall.credentialWaitMs(guessing)).toBe(60_000);
    expect(firewall.credentialWaitMs(new Headers(worker("honest.example")))).toBeNull();
    // From anywhere else the header is the client's own word.
    for (let request = 0; request < 3; request += 1)
      await screen(clean, { ...from("192.0.2.1"), "cf-worker": `z${request}.example` });
    expect((await screen(clean, { ...from("192.0.2.1"), "cf-worker": "z3.example" })).refusal).not.toBeNull();
  });

  test("wrong credentials have a limit of their own", async () => {
    const { firewall } = bench({ addresses: { failed_credentials_per_minute: 2 } });
    const headers = new Headers(from("192.0.2.1"));
    expect(await firewall.credentialFailed(headers, background)).toBeNull();
    expect(await firewall.credentialFailed(headers, background)).toBeNull();
    expect(firewall.credentialWaitMs(headers)).toBeNull();
    expect(await firewall.credentialFailed(headers, background)).toBe(60_000);
    expect(firewall.credentialWaitMs(headers)).toBe(60_000);
    expect(firewall.credentialWaitMs(new Headers(from("192.0.2.2")))).toBeNull();
  });

  test("without an address nobody is counted: plain workerd does not tell it", async () => {
    const { screen } = bench({ addresses: { requests_per_minute: 1 } });
    for (let request = 0; request < 5; request += 1) expect((await screen(clean)).refusal).toBeNull();
  });
});

describe("the platform's document", () => {
  const source = (text: string | null | Error) => {
    const faults: string[] = [];
    const policy = createPolicySource({
      store: {
        get: async () => {
          if (text instanceof Error) throw text;
          return text;
        },
      },
      fallback: defaultPlatformFirewall,
      now: () => 0,
      report: (_, detail) => void faults.push(detail),
    });
    return { policy, faults };
  };

  test("that says nothing means the default", () => {
    expect(platformFirewallSchema.parse({})).toEqual(defaultPlatformFirewall);
  });

  test("is read from KV, then known at once", async () => {
    const { policy } = source('{"injection":"log"}');
    expect(await policy(background)).toMatchObject({ injection: "log" });
    expect(policy(background)).not.toBeInstanceOf(Promise);
  });

  test.each([
    ["absent", null, 0],
    ["broken", '{"injection":"maybe"}', 1],
    ["out of reach", new Error("KV is down"), 1],
  ])("%s: the default holds, and blocks", async (_, text, reported) => {
    const { policy, faults } = source(text);
    expect(await policy(background)).toEqual(defaultPlatformFirewall);
    expect(faults).toHaveLength(reported);
  });
});
