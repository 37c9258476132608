import { expect, test } from "vitest";
import { createPolicySource, defaultPlatformFirewall } from "../../src/shared/firewall/policy-source.ts";
import { getDocument } from "./document-command.ts";
import { firewallDocument } from "./firewall-command.ts";
import { memoryStore } from "./memory-store-fixture.ts";

const rules = [
  { name: "office", action: "allow", ip: ["192.0.2.0/24"], tls_below: "1.3" },
  { name: "nobody-else", action: "deny" },
  { name: "late", action: "allow", country: ["DE"] },
] as const;

test("what put writes is what the Worker reads, and its summary says who gets in", async () => {
  const store = memoryStore();
  const said = await firewallDocument.put(store, JSON.stringify({ rules }));
  expect(said.split("\n")).toEqual([
    "attack patterns: block",
    "an address, in one isolate: 60000 requests and 60 wrong credentials a minute",
    "rules, of which the first that holds decides:",
    "  office: allow, ip and tls_below",
    "  nobody-else: deny, always",
    "  late: allow, country (never reached)",
    "whom no rule before 'nobody-else' lets in gets 403",
  ]);
  const read = createPolicySource({
    store,
    fallback: defaultPlatformFirewall,
    now: () => 0,
    report: (...fault) => {
      throw new Error(fault.join(" "));
    },
  });
  expect(await read({ run: () => undefined })).toMatchObject({ injection: "block", rules });
  expect(JSON.parse(await getDocument(firewallDocument, store))).toEqual({ rules });
});

test.each([
  [{ rules: [{ ...rules[0], ip: ["192.0.2.0/240"] }] }, /^rules\[0\]\.ip\[0\]: is no address/],
  [{ injection: "blok" }, /^injection: /],
  [{ adresses: {} }, /adresses/],
  [[], /./],
])("%j is not written, and its fault names the field", async (document, fault) => {
  const store = memoryStore();
  await expect(firewallDocument.put(store, JSON.stringify(document))).rejects.toThrow(fault);
  expect(() => firewallDocument.check(JSON.stringify(document))).toThrow(fault);
  expect(store.entries.size).toBe(0);
  await expect(getDocument(firewallDocument, store)).rejects.toThrow("there is no firewall in KV");
});
