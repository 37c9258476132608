import * as fc from "fast-check";
import { expect, test } from "vitest";
import { resolveConversation } from "./conversation-name.ts";
import { KeyedHash } from "./keyed-hash.ts";
import { mintId, verifyId, type IdKind } from "./response-id.ts";

const hash = new KeyedHash("0123456789abcdef0123456789abcdef");
const name = fc.string({ minLength: 1, maxLength: 40 }).filter((text) => !text.includes("\0"));
const minting = fc.record({
  kind: fc.constantFrom<IdKind>("chat", "completion", "response", "conversation"),
  owner: fc.record({ tenant: name, user: name }),
  jurisdiction: fc.constantFrom("none" as const, "eu" as const),
  nowMs: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  entropy: fc.uint8Array({ minLength: 10, maxLength: 32 }),
});

test("a minted id verifies for its owner and names its object and jurisdiction", async () => {
  await fc.assert(
    fc.asyncProperty(minting, async (request) => {
      const minted = await mintId(hash, request);
      expect(await verifyId(hash, minted.id, request.owner)).toEqual({
        ...minted,
        kind: request.kind,
        jurisdiction: request.jurisdiction,
      });
    }),
  );
});

test("an id verifies for no other owner, no other secret, no other kind and with no character changed", async () => {
  const other = new KeyedHash("another secret of some length");
  await fc.assert(
    fc.asyncProperty(
      minting,
      fc.record({ tenant: name, user: name }),
      fc.nat(),
      fc.constantFrom(...Array.from("0123456789abcdefghjkmnpqrstvwxyzIL!")),
      async (request, stranger, at, character) => {
        const { id } = await mintId(hash, request);
        if (stranger.tenant !== request.owner.tenant || stranger.user !== request.owner.user)
          expect(await verifyId(hash, id, stranger)).toBeNull();
        expect(await verifyId(other, id, request.owner)).toBeNull();
        const place = at % id.length;
        const changed = id.slice(0, place) + character + id.slice(place + 1);
        if (changed !== id) expect(await verifyId(hash, changed, request.owner)).toBeNull();
        const renamed = id.replace(/^[a-z]+[-_]/, request.kind === "chat" ? "resp_" : "chatcmpl-");
        expect(await verifyId(hash, renamed, request.owner)).toBeNull();
      },
    ),
  );
});

test("tenant and user cannot be shifted against each other", async () => {
  const request = { kind: "chat", jurisdiction: "none", nowMs: 1, entropy: new Uint8Array(10) } as const;
  const { id } = await mintId(hash, { ...request, owner: { tenant: "a", user: "bc" } });
  expect(await verifyId(hash, id, { tenant: "ab", user: "c" })).toBeNull();
});

test("a caller's own conversation name is an object of its owner alone, and may be new", async () => {
  const mine = await resolveConversation(hash, "my-chat", { tenant: "demo", user: "alice" });
  const theirs = await resolveConversation(hash, "my-chat", { tenant: "demo", user: "bob" });
  expect(mine).toMatchObject({ id: "my-chat", mustExist: false });
  expect(mine?.objectName).not.toBe(theirs?.objectName);
});

test("a conv_ id must have been made by us for this owner", async () => {
  const owner = { tenant: "demo", user: "alice" };
  const minted = await mintId(hash, {
    kind: "conversation",
    owner,
    jurisdiction: "none",
    nowMs: 1_760_000_000_000,
    entropy: crypto.getRandomValues(new Uint8Array(10)),
  });
  expect(await resolveConversation(hash, minted.id, owner)).toMatchObject({ mustExist: true });
  expect(await resolveConversation(hash, minted.id, { tenant: "demo", user: "bob" })).toBeNull();
  expect(await resolveConversation(hash, "conv_123", owner)).toBeNull();
});

test("a short secret is refused", () => {
  expect(() => new KeyedHash("short")).toThrow(TypeError);
});
