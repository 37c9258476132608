/** What do the archive's tables store, and what does an erasure remove? */
import { describe, expect, it } from "vitest";
import { ArchiveStore } from "../../src/shared/archive/archive-store.ts";
import { deleteErasedObjects } from "../../src/shared/archive/consume-batch.ts";
import { createQueueArchive } from "../../src/shared/archive/queue-archive.ts";
import { archivedTurn } from "../../src/shared/archive/turn-fixture.ts";
import { connect } from "../../workers/archiver/postgres-database.ts";
import { listTurns } from "./archive-command.ts";
import { archiveUnderTest, newTenant } from "./archive-fixture.ts";
import { FakeQueue } from "./fake-queue.ts";

const world = archiveUnderTest();

describe("erasing", () => {
  it("and writing at the same time leaves nothing, whichever comes first", async () => {
    for (let round = 0; round < 12; round += 1) {
      const tenant = newTenant();
      const writing = new FakeQueue();
      const erasing = new FakeQueue();
      for (let at = 0; at < 5; at += 1)
        await writing.archive.turn(archivedTurn({ tenant, chargeId: `${tenant}-${at}` }));
      await erasing.archive.erase({ kind: "tenant", tenant }, 1_000);
      const other = connect(world.url);
      const work = [writing.deliverAll(world.database), erasing.deliverAll(other.database)];
      await Promise.all(round % 2 === 0 ? work : work.reverse());
      await writing.deliverAll(world.database);
      await erasing.deliverAll(world.database);
      await other.end(1);
      expect(await world.contentIds(tenant)).toEqual([]);
      expect(await world.chargeIds(tenant)).toHaveLength(5);
    }
  }, 180_000);

  it("takes no content of another tenant, user, conversation or later turn", async () => {
    const [ours, theirs] = [newTenant(), newTenant()];
    const queue = new FakeQueue();
    for (const tenant of [ours, theirs])
      for (const createdMs of [1_000, 2_000])
        await queue.archive.turn(archivedTurn({ tenant, chargeId: `${tenant}-${createdMs}`, createdMs }));
    await queue.archive.erase({ kind: "conversation", tenant: ours, conversation: "conversation-1" }, 1_500);
    await queue.archive.erase({ kind: "user", tenant: ours, user: "bob" }, 9_000);
    await queue.deliverAll(world.database);
    expect(await world.contentIds(ours)).toEqual([`${ours}-2000`]);
    expect(await world.contentIds(theirs)).toHaveLength(2);
  });

  it("deletes what lies in the bucket, also where the bucket is away at first, and what comes late", async () => {
    const tenant = newTenant();
    const objects = new Set<string>();
    const queue = new FakeQueue();
    const archive = createQueueArchive(
      { sendBatch: async (messages) => messages.forEach(({ body }) => queue.send(body)) },
      { put: async (key) => objects.add(key), delete: async (key) => objects.delete(key) },
    );
    const items = [{ type: "message", role: "user", json: JSON.stringify("x".repeat(200_000)) }];
    await archive.turn(archivedTurn({ tenant, chargeId: `${tenant}-early`, items }));
    await queue.deliverAll(world.database);
    expect(objects.size).toBe(1);
    await archive.erase({ kind: "tenant", tenant }, 5_000);
    await queue.deliverAll(world.database, { deleteObjects: () => Promise.reject(new Error("R2 is away")) });
    expect(objects.size).toBe(1);
    await archive.turn(archivedTurn({ tenant, chargeId: `${tenant}-late`, items }));
    const deleteObjects = async (keys: readonly string[]): Promise<void> => {
      for (const key of keys) objects.delete(key);
    };
    await queue.deliverAll(world.database, { deleteObjects });
    expect(objects.size).toBe(0);
    expect(await world.contentIds(tenant)).toEqual([]);
    expect(
      await world.rows("SELECT 1 FROM object_erasure WHERE object_key LIKE '%' || $1 || '%'", tenant),
    ).toEqual([]);
  });

  it("deletes what is put again between its deletion and the striking out of its note", async () => {
    const tenant = newTenant();
    const objects = new Set<string>();
    const [queue, other] = [new FakeQueue(), new FakeQueue()];
    const archiveTo = ({ send }: { readonly send: (body: unknown) => void }) =>
      createQueueArchive(
        { sendBatch: async (messages) => messages.forEach(({ body }) => send(body)) },
        { put: async (key) => objects.add(key), delete: async (key) => objects.delete(key) },
      );
    const archive = archiveTo({ send: (body) => queue.send(body) });
    const items = [{ type: "message", role: "user", json: JSON.stringify("x".repeat(200_000)) }];
    const turn = archivedTurn({ tenant, chargeId: `${tenant}-again`, items });
    await archive.turn(turn);
    await queue.deliverAll(world.database);
    await archive.erase({ kind: "tenant", tenant }, 5_000);
    let isFirst = true;
    const deleteObjects = async (keys: readonly string[]): Promise<void> => {
      for (const key of keys) objects.delete(key);
      if (!isFirst) return;
      isFirst = false;
      // Effects are sent until they are acknowledged: another archiver writes the turn meanwhile, and is stopped there.
      await archiveTo({ send: (body) => other.send(body) }).turn(turn);
      await other.deliverAll(world.database, {
        deleteObjects: () => Promise.reject(new Error("R2 is away")),
      });
    };
    await queue.deliverAll(world.database, { deleteObjects });
    await deleteErasedObjects({
      store: new ArchiveStore(world.database),
      deleteObjects,
      report: () => undefined,
    });
    expect(objects.size).toBe(0);
  });

  it.each(["erased before it was parked", "erased after it was parked", "dropped"] as const)(
    "deletes what a dead letter has in the bucket: %s",
    async (how) => {
      const [tenant, other] = [newTenant(), newTenant()];
      const objects = new Set<string>();
      const queue = new FakeQueue();
      const archive = createQueueArchive(
        { sendBatch: async (messages) => messages.forEach(({ body }) => queue.send(body)) },
        { put: async (key) => objects.add(key), delete: async (key) => objects.delete(key) },
      );
      const deleteObjects = async (keys: readonly string[]): Promise<void> => {
        for (const key of keys) objects.delete(key);
      };
      const erase = async () => {
        await archive.erase({ kind: "user", tenant, user: "ann" }, 5_000);
        await queue.deliverAll(world.database, { deleteObjects });
      };
      const items = [{ type: "message", role: "user", json: JSON.stringify("x".repeat(200_000)) }];
      if (how === "erased before it was parked") await erase();
      // PostgreSQL's text holds no NUL: neither can be written.
      for (const owner of [tenant, other])
        await archive.turn(
          archivedTurn({ tenant: owner, chargeId: `${owner}-poison`, model: "a\0b", items }),
        );
      const ids = queue.waiting.map(({ id }) => id);
      await queue.deliverAll(world.database, { poison: "park" });
      if (how === "erased after it was parked") await erase();
      if (how === "dropped") {
        expect(await new ArchiveStore(world.database).forgetLetter(ids[0] ?? "")).toBe(true);
        await queue.deliverAll(world.database, { deleteObjects });
      }
      await queue.deliverAll(world.database, { deleteObjects });
      expect([...objects]).toEqual([`archive/${other}/${other}-poison.json`]);
      await new ArchiveStore(world.database).forgetLetter(ids[1] ?? "");
      await new ArchiveStore(world.database).forgetLetter(ids[0] ?? "");
    },
  );
});

describe("the tables", () => {
  it("keep the ledger as it was written: no change, no deletion", async () => {
    const tenant = newTenant();
    const queue = new FakeQueue();
    await queue.archive.turn(archivedTurn({ tenant, chargeId: `${tenant}-1` }));
    await queue.archive.turn(archivedTurn({ tenant, chargeId: `${tenant}-1`, microdollars: 999 }));
    await queue.deliverAll(world.database);
    for (const statement of [
      "UPDATE charge SET microdollars = 0 WHERE tenant = $1",
      "DELETE FROM charge WHERE tenant = $1",
    ])
      await expect(world.rows(statement, tenant)).rejects.toThrow("only grows");
    await expect(world.database.transaction((query) => query("TRUNCATE charge"))).rejects.toThrow(
      "only grows",
    );
    expect(await world.rows("SELECT microdollars FROM charge WHERE tenant = $1", tenant)).toMatchObject([
      { microdollars: expect.toSatisfy((value: unknown) => Number(value) === 7) as unknown },
    ]);
  });

  it("hold no content in the ledger, and every kind of text in the content", async () => {
    const tenant = newTenant();
    const queue = new FakeQueue();
    const texts = ["a\0b", "😀\ud800", "'; DROP TABLE charge; --", "\u2028 \\u0000 \r\n", "ü".repeat(20_000)];
    const items = texts.map((text) => ({ type: "message", role: "user", json: JSON.stringify({ text }) }));
    await queue.archive.turn(archivedTurn({ tenant, chargeId: `${tenant}-1`, items }));
    await queue.deliverAll(world.database);
    const kept = await world.rows("SELECT item FROM content WHERE tenant = $1 ORDER BY position", tenant);
    expect(kept.map((row) => (JSON.parse(String(row["item"])) as { text: string }).text)).toEqual(texts);
    const ledger = JSON.stringify(await world.rows("SELECT * FROM charge WHERE tenant = $1", tenant));
    expect(ledger).not.toContain("DROP TABLE");
  });

  it("are shown in the order of the conversation", async () => {
    const tenant = newTenant();
    const queue = new FakeQueue();
    for (const sequence of [4, 0, 2])
      await queue.archive.turn(
        archivedTurn({
          tenant,
          chargeId: `${tenant}-${sequence}`,
          responseId: `response-${sequence}`,
          conversation: { conversation: "c", sequence },
        }),
      );
    await queue.deliverAll(world.database);
    const shown = await listTurns(world.database, { tenant, limit: 10 });
    expect([...shown.matchAll(/response-(\d)/g)].map(([, number]) => number)).toEqual(["0", "2", "4"]);
    expect(shown).toContain("10+5 tokens (2 cached) $0.000007");
    expect(shown).toContain("Hello");
    expect(shown).toContain("content inline");
    await queue.archive.erase({ kind: "user", tenant, user: "ann" }, Date.now());
    await queue.deliverAll(world.database);
    const erased = await listTurns(world.database, { tenant, limit: 10 });
    expect(erased).not.toMatch(/Hello|content inline/);
    expect(erased.match(/content erased/g)).toHaveLength(3);
    expect(await listTurns(world.database, { tenant: "nobody", limit: 10 })).toBe("The archive is empty.");
  });
});
