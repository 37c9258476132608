import * as fc from "fast-check";
import { expect, test } from "vitest";
import { KeyedHash } from "../turn/keyed-hash.ts";
import { emptyChain, firstBroken, nextEntry, type AuditEntry, type ChainHead } from "./audit-chain.ts";

const hash = new KeyedHash("edgewise-secret-edgewise-secret-edgewise");

async function chainOf(count: number, log = "acme", key = hash): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  let head: ChainHead = emptyChain;
  for (let at = 0; at < count; at += 1) {
    const draft = { actor: "jwt:acme/root", action: "key.create", subject: `key-${at}`, detail: { at } };
    const entry = await nextEntry(key, log, head, draft, 1_790_000_000_000 + at);
    entries.push(entry);
    head = entry;
  }
  return entries;
}

test("a log that nobody touched is whole, as is any run of it behind the entry before it", async () => {
  const entries = await chainOf(5);
  expect(entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
  expect(await firstBroken(hash, "acme", emptyChain, entries)).toBeNull();
  expect(await firstBroken(hash, "acme", entries[1] ?? emptyChain, entries.slice(2))).toBeNull();
  expect(await firstBroken(hash, "acme", emptyChain, [])).toBeNull();
});

test("no change of any field of any entry goes unnoticed, nor one left out, moved or put in", async () => {
  const entries = await chainOf(4);
  const changes: Partial<AuditEntry>[] = [
    { sequence: 9 },
    { atMs: 1 },
    { actor: "jwt:acme/mallory" },
    { action: "key.revoke" },
    { subject: "another" },
    { detail: {} },
    { previous: "0" },
    { hash: "0".repeat(51) },
  ];
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 3 }), fc.constantFrom(...changes), async (at, change) => {
      const changed = entries.map((entry, index) => (index === at ? { ...entry, ...change } : entry));
      expect(await firstBroken(hash, "acme", emptyChain, changed)).toBe(at + 1);
    }),
  );
  for (let at = 0; at < 3; at += 1)
    expect(await firstBroken(hash, "acme", emptyChain, entries.toSpliced(at, 1))).toBe(at + 1);
  const [first, second, third] = entries as [AuditEntry, AuditEntry, AuditEntry];
  expect(await firstBroken(hash, "acme", emptyChain, [second, first, third])).toBe(1);
});

test("a history made anew without the secret, or taken from another tenant's log, does not fit", async () => {
  const forged = await chainOf(3, "acme", new KeyedHash("another-secret-another-secret"));
  expect(await firstBroken(hash, "acme", emptyChain, forged)).toBe(1);
  expect(await firstBroken(hash, "acme", emptyChain, await chainOf(3, "globex"))).toBe(1);
});
