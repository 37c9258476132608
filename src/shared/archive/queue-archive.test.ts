import { describe, expect, it } from "vitest";
import { maxInlineBytes } from "../content/large-content.ts";
import { readArchiveMessage, type ArchiveMessage } from "./message.ts";
import { createQueueArchive } from "./queue-archive.ts";
import { archivedTurn } from "./turn-fixture.ts";

function world(options: { fails?: boolean; readonly objects?: boolean } = {}) {
  const sent: ArchiveMessage[] = [];
  const objects = new Map<string, string>();
  const archive = createQueueArchive(
    {
      async sendBatch(messages) {
        if (options.fails === true) throw new Error("the queue is away");
        // As through the queue: JSON.
        for (const { body } of messages) sent.push(JSON.parse(JSON.stringify(body)) as ArchiveMessage);
      },
    },
    options.objects === false
      ? undefined
      : {
          async put(key, value) {
            objects.set(key, value);
          },
          async delete(key) {
            objects.delete(key);
          },
        },
  );
  return { archive, sent, objects };
}

function contentOf(message: ArchiveMessage | undefined) {
  if (message?.kind !== "turn") throw new Error("not a turn");
  return message.content;
}

const long = {
  type: "message",
  role: "user",
  json: JSON.stringify({ content: "ü".repeat(maxInlineBytes / 2) }),
};

describe("the archive's queue", () => {
  it("takes a turn as one message that reads as it was written", async () => {
    const { archive, sent } = world();
    expect(await archive.turn(archivedTurn())).toEqual({ result: "accepted" });
    expect(sent).toHaveLength(1);
    expect(readArchiveMessage(sent[0])).toEqual({ ok: true, value: sent[0] });
    expect(contentOf(sent[0])).toMatchObject({ kind: "inline", items: archivedTurn().items });
  });

  it("takes no content of a tenant with a jurisdiction, but its charge", async () => {
    const { archive, sent, objects } = world();
    await archive.turn(archivedTurn({ jurisdiction: "eu", items: [long] }));
    expect(contentOf(sent[0])).toEqual({ kind: "left-out", reason: "jurisdiction" });
    expect(JSON.stringify(sent)).not.toContain("üü");
    expect(objects.size).toBe(0);
  });

  it("sends content over 100 KB by reference, measured in bytes", async () => {
    const { archive, sent, objects } = world();
    await archive.turn(archivedTurn({ items: [long] }));
    expect(contentOf(sent[0])).toMatchObject({ kind: "object", key: "archive/acme/charge-1.json", items: 1 });
    expect(JSON.parse(objects.get("archive/acme/charge-1.json") ?? "")).toEqual([long]);
    expect(JSON.stringify(sent[0]).length).toBeLessThan(2_000);
  });

  it("takes no content that the tenant does not keep", async () => {
    const { archive, sent } = world();
    await archive.turn(archivedTurn({ items: null }));
    expect(contentOf(sent[0])).toEqual({ kind: "left-out", reason: "policy" });
  });

  it("says that content is left out where there is no bucket for it", async () => {
    const { archive, sent } = world({ objects: false });
    await archive.turn(archivedTurn({ items: [long] }));
    expect(contentOf(sent[0])).toEqual({ kind: "left-out", reason: "too-large" });
  });

  it("leaves nothing in the bucket of a turn whose conversation was deleted while the queue was away", async () => {
    const options = { fails: true };
    const { archive, sent, objects } = world(options);
    const place = { conversation: "c", sequence: 7 };
    const taken = archivedTurn({ items: [long], conversation: place });
    expect(await archive.turn(taken)).toMatchObject({ result: "unreachable" });
    options.fails = false;
    // Its conversation has not taken it, says the next try.
    await archive.turn({ ...taken, items: [], conversation: { ...place, sequence: null } });
    expect(contentOf(sent[0])).toEqual({ kind: "left-out", reason: "none" });
    expect(objects.size).toBe(0);
  });

  it("says so when the queue does not take it", async () => {
    const { archive } = world({ fails: true });
    const unreachable = { result: "unreachable", detail: "Error: the queue is away" };
    expect(await archive.turn(archivedTurn())).toEqual(unreachable);
    expect(await archive.erase({ kind: "tenant", tenant: "acme" }, 5)).toEqual(unreachable);
  });

  it("names whose content is erased, and up to when", async () => {
    const { archive, sent } = world();
    await archive.erase({ kind: "conversation", tenant: "acme", conversation: "c" }, 5);
    await archive.erase({ kind: "response", tenant: "acme", responseId: "r" }, 6.5);
    await archive.erase({ kind: "user", tenant: "acme", user: "ann" }, 7);
    await archive.erase({ kind: "tenant", tenant: "acme" }, 8);
    expect(
      sent.map((message) => (message.kind === "erase" ? [message.scope, message.key, message.beforeMs] : [])),
    ).toEqual([
      ["conversation", "c", 5],
      ["response", "r", 7],
      ["user", "ann", 7],
      ["tenant", "", 8],
    ]);
    for (const message of sent) expect(readArchiveMessage(message).ok).toBe(true);
  });

  it("is off without a queue", async () => {
    const archive = createQueueArchive(undefined, undefined);
    expect(archive.isOn).toBe(false);
    expect(await archive.turn(archivedTurn())).toEqual({ result: "off" });
    expect(await archive.erase({ kind: "tenant", tenant: "acme" }, 1)).toEqual({ result: "off" });
  });

  it("reads no message of an unknown version, and names the field without its value", () => {
    expect(readArchiveMessage({ v: 2, kind: "erase", tenant: "secret-text" })).toEqual({
      ok: false,
      error: "v: invalid_value",
    });
    const read = readArchiveMessage("secret-text");
    expect(read.ok ? "" : read.error).not.toContain("secret-text");
  });
});
