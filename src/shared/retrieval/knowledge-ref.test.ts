import { expect, test } from "vitest";
import { KeyedHash } from "../turn/keyed-hash.ts";
import { mintId } from "../turn/response-id.ts";
import { resolveKnowledge, tenantAsOwner } from "./knowledge-ref.ts";

const hash = new KeyedHash("a secret of the tests, long enough");
const ann = { tenant: "acme", user: "ann" };

async function minted(kind: "file" | "vectorStore" | "conversation", owner: typeof ann): Promise<string> {
  const entropy = crypto.getRandomValues(new Uint8Array(16));
  return (await mintId(hash, { kind, owner, jurisdiction: "eu", nowMs: 1_700_000_000_000, entropy })).id;
}

test("an owner's id means their own, a tenant's the whole tenant's, and anybody else's nothing", async () => {
  const own = await minted("vectorStore", ann);
  expect(own).toMatch(/^vs_[0-9a-z]{47}$/);
  const ref = await resolveKnowledge(hash, own, "vectorStore", ann);
  expect(ref).toMatchObject({ id: own, owner: ann, isTenants: false, jurisdiction: "eu" });
  expect(ref?.objectName).toHaveLength(27);
  const shared = await minted("file", tenantAsOwner(ann));
  expect(await resolveKnowledge(hash, shared, "file", ann)).toMatchObject({
    owner: { tenant: "acme", user: "" },
    isTenants: true,
  });
  for (const stranger of [
    { tenant: "acme", user: "bob" },
    { tenant: "other", user: "ann" },
  ])
    expect(await resolveKnowledge(hash, own, "vectorStore", stranger)).toBeNull();
  expect(await resolveKnowledge(hash, shared, "file", { tenant: "other", user: "ann" })).toBeNull();
});

test("an id of another kind, a changed one and any other text mean nothing", async () => {
  const own = await minted("vectorStore", ann);
  expect(await resolveKnowledge(hash, own, "file", ann)).toBeNull();
  expect(await resolveKnowledge(hash, `file-${own.slice(3)}`, "file", ann)).toBeNull();
  expect(await resolveKnowledge(hash, `${own.slice(0, -1)}0`, "vectorStore", ann)).toBeNull();
  expect(await resolveKnowledge(hash, await minted("conversation", ann), "vectorStore", ann)).toBeNull();
  for (const id of ["", "vs_", "vs_none", "file-1", "__proto__"])
    expect(await resolveKnowledge(hash, id, "vectorStore", ann)).toBeNull();
});
