/** The archiver's batches against a real schema: whatever the queue does with messages, rows equal distinct events. */
import {
  array,
  assert,
  asyncProperty,
  boolean,
  constantFrom,
  integer,
  nat,
  record,
  uniqueArray,
} from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ArchiveStore } from "../../src/shared/archive/archive-store.ts";
import type { Database } from "../../src/shared/archive/database.ts";
import type { ArchivedTurn, ErasureKey } from "../../src/shared/archive/ports.ts";
import { createQueueArchive } from "../../src/shared/archive/queue-archive.ts";
import { archivedTurn } from "../../src/shared/archive/turn-fixture.ts";
import { connect } from "../../workers/archiver/postgres-database.ts";
import { freePort } from "../free-ports.ts";
import { erasureKey, erases } from "./erasure-model.ts";
import { FakeQueue } from "./fake-queue.ts";
import { listDeadLetters, listTurns, replayDeadLetters } from "./archive-command.ts";
import { startTestDatabase, type TestDatabase } from "./test-database.ts";

let world: TestDatabase;
beforeAll(async () => {
  world = await startTestDatabase();
}, 180_000);
afterAll(() => world.stop());

let tenants = 0;
function newTenant(): string {
  tenants += 1;
  return `tenant-${tenants}`;
}

async function rows(statement: string, tenant: string) {
  return world.database.transaction((query) => query(statement, [tenant]));
}

async function chargeIds(tenant: string): Promise<readonly unknown[]> {
  return (await rows("SELECT charge_id FROM charge WHERE tenant = $1 ORDER BY charge_id", tenant)).map(
    (row) => row["charge_id"],
  );
}

async function contentIds(tenant: string): Promise<readonly unknown[]> {
  return (
    await rows("SELECT DISTINCT charge_id FROM content WHERE tenant = $1 ORDER BY charge_id", tenant)
  ).map((row) => row["charge_id"]);
}

const refused: Database = {
  transaction: () => Promise.reject(new Error("connect ECONNREFUSED")),
};

describe("whatever the queue does", () => {
  it("rows equal distinct events: duplicated, reordered, half acknowledged, the database away and back", async () => {
    const turn = record({
      number: integer({ min: 0, max: 11 }),
      user: constantFrom("ann", "bob"),
      conversation: constantFrom("c1", "c2", null),
      createdMs: integer({ min: 1, max: 20 }),
    });
    const erasure = record({
      key: constantFrom("conversation", "response", "user", "tenant"),
      number: integer({ min: 0, max: 11 }),
      beforeMs: integer({ min: 1, max: 20 }),
    });
    const step = record({
      pick: array(nat(40), { maxLength: 12 }),
      down: boolean(),
      lostEvery: integer({ min: 1, max: 4 }),
    });
    await assert(
      asyncProperty(
        uniqueArray(turn, { maxLength: 12, selector: ({ number }) => number }),
        array(erasure, { maxLength: 3 }),
        array(step, { maxLength: 8 }),
        async (turns, erasures, steps) => {
          const tenant = newTenant();
          const queue = new FakeQueue();
          const made: ArchivedTurn[] = turns.map(({ number, user, conversation, createdMs }) =>
            archivedTurn({
              tenant,
              user,
              chargeId: `${tenant}-${number}`,
              responseId: `response-${number}`,
              conversation: conversation === null ? null : { conversation, sequence: number * 2 },
              createdMs,
            }),
          );
          for (const one of made) await queue.archive.turn(one);
          const keys: (readonly [ErasureKey, number])[] = erasures.map(({ key, number, beforeMs }) => [
            erasureKey(key, tenant, number),
            beforeMs,
          ]);
          for (const [key, beforeMs] of keys) await queue.archive.erase(key, beforeMs);
          for (const { pick, down, lostEvery } of steps) {
            const { waiting } = queue;
            if (waiting.length === 0) break;
            const picked = pick.flatMap((at) => waiting[at % waiting.length] ?? []);
            await queue.deliver(picked, down ? refused : world.database, {
              lostAcks: (at) => at % lostEvery === 0,
            });
          }
          await queue.deliverAll(world.database);
          expect(queue.waiting).toEqual([]);
          expect(await chargeIds(tenant)).toEqual(made.map(({ chargeId }) => chargeId).sort());
          const kept = made.filter((one) => !keys.some(([key, beforeMs]) => erases(key, beforeMs, one)));
          expect(await contentIds(tenant)).toEqual(kept.map(({ chargeId }) => chargeId).sort());
        },
      ),
      { numRuns: 60 },
    );
  }, 180_000);

  it("a database that is away loses and acknowledges nothing, and everything is written when it is back", async () => {
    const tenant = newTenant();
    const queue = new FakeQueue();
    for (let at = 0; at < 30; at += 1)
      await queue.archive.turn(archivedTurn({ tenant, chargeId: `${tenant}-${at}` }));
    const away = connect(`postgres://postgres@127.0.0.1:${await freePort()}/postgres`);
    await queue.deliverAll(away.database);
    await away.end(0);
    expect(queue.waiting).toHaveLength(30);
    expect(queue.reports).toEqual([expect.stringContaining("archive-database")]);
    await queue.deliverAll(world.database);
    expect(queue.waiting).toEqual([]);
    expect(await chargeIds(tenant)).toHaveLength(30);
  });

  it("a schema that is not there yet is the database's fault, not the messages'", async () => {
    const queue = new FakeQueue();
    await queue.archive.turn(archivedTurn({ tenant: newTenant() }));
    await queue.deliverAll({
      transaction: (work) =>
        world.database.transaction((query) =>
          work((statement, parameters) =>
            query(statement.replaceAll("INTO charge ", "INTO no_such_table "), parameters),
          ),
        ),
    });
    expect(queue.waiting).toHaveLength(1);
    expect(queue.reports.join()).toContain("42P01");
  });
});

describe("a poison message", () => {
  /** PostgreSQL's text holds no NUL: this passes every check before the database. */
  const poison = (tenant: string) => archivedTurn({ tenant, chargeId: `${tenant}-poison`, model: "a\0b" });

  it("blocks none of its batch, wherever it stands", async () => {
    for (const at of [0, 1, 49, 98, 99]) {
      const tenant = newTenant();
      const queue = new FakeQueue();
      for (let turn = 0; turn < 100; turn += 1) {
        if (turn === at) await queue.archive.turn(poison(tenant));
        else await queue.archive.turn(archivedTurn({ tenant, chargeId: `${tenant}-${turn}` }));
      }
      await queue.deliverAll(world.database);
      expect(await chargeIds(tenant)).toHaveLength(99);
      expect(queue.waiting).toHaveLength(1);
      expect(queue.reports).toEqual([expect.stringContaining("archive-poison")]);
    }
  }, 180_000);

  it("that can't be read is told from the others as well", async () => {
    const tenant = newTenant();
    const queue = new FakeQueue();
    queue.send({ v: 2, kind: "turn", tenant });
    queue.send("no object");
    await queue.archive.turn(archivedTurn({ tenant, chargeId: `${tenant}-good` }));
    await queue.deliverAll(world.database);
    expect(await chargeIds(tenant)).toEqual([`${tenant}-good`]);
    expect(queue.waiting).toHaveLength(2);
  });

  it("is kept from the dead letters on, and is written by a replay once it can be", async () => {
    const tenant = newTenant();
    const queue = new FakeQueue();
    await queue.archive.turn(poison(tenant));
    await queue.deliverAll(world.database, { poison: "park" });
    expect(queue.waiting).toEqual([]);
    expect(await listDeadLetters(world.database)).toMatch(/message-1 22/);
    const first = await replayDeadLetters(world.database);
    expect(first).toMatchObject({ written: 0, left: [expect.stringContaining("message-1")] });
    expect(await new ArchiveStore(world.database).forgetLetter("no such letter")).toBe(false);
    // What newer code or a migration does: here the message itself is mended.
    await world.database.transaction((query) =>
      query("UPDATE dead_letter SET body = replace(body, '\\u0000', '-') WHERE tenant = $1", [tenant]),
    );
    expect(await replayDeadLetters(world.database)).toEqual({ written: 1, left: [] });
    expect(await chargeIds(tenant)).toEqual([`${tenant}-poison`]);
    expect(await contentIds(tenant)).toEqual([`${tenant}-poison`]);
    expect(await listDeadLetters(world.database)).toBe("No dead letters.");
  });

  it("loses its content, not its charge, to an erasure, before and after it was parked", async () => {
    for (const order of ["before", "after"]) {
      const tenant = newTenant();
      const queue = new FakeQueue();
      const erase = async () => {
        await queue.archive.erase({ kind: "user", tenant, user: "ann" }, 5_000);
        await queue.deliverAll(world.database);
      };
      if (order === "before") await erase();
      await queue.archive.turn(poison(tenant));
      await queue.deliverAll(world.database, { poison: "park" });
      if (order === "after") await erase();
      const letters = await rows("SELECT content, body FROM dead_letter WHERE tenant = $1", tenant);
      expect(letters).toHaveLength(1);
      expect(letters[0]?.["content"]).toBeNull();
      expect(letters[0]?.["body"]).not.toContain("Hello");
      await world.database.transaction((query) =>
        query("UPDATE dead_letter SET body = replace(body, '\\u0000', '-') WHERE tenant = $1", [tenant]),
      );
      await replayDeadLetters(world.database);
      expect(await chargeIds(tenant)).toHaveLength(1);
      expect(await contentIds(tenant)).toEqual([]);
    }
  });
});

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
      expect(await contentIds(tenant)).toEqual([]);
      expect(await chargeIds(tenant)).toHaveLength(5);
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
    expect(await contentIds(ours)).toEqual([`${ours}-2000`]);
    expect(await contentIds(theirs)).toHaveLength(2);
  });

  it("deletes what lies in the bucket, also where the bucket is away at first, and what comes late", async () => {
    const tenant = newTenant();
    const objects = new Set<string>();
    const queue = new FakeQueue();
    const archive = createQueueArchive(
      { sendBatch: async (messages) => messages.forEach(({ body }) => queue.send(body)) },
      { put: async (key) => objects.add(key) },
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
    expect(await contentIds(tenant)).toEqual([]);
    expect(await rows("SELECT 1 FROM object_erasure WHERE object_key LIKE '%' || $1 || '%'", tenant)).toEqual(
      [],
    );
  });
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
      await expect(rows(statement, tenant)).rejects.toThrow("only grows");
    await expect(world.database.transaction((query) => query("TRUNCATE charge"))).rejects.toThrow(
      "only grows",
    );
    expect(await rows("SELECT microdollars FROM charge WHERE tenant = $1", tenant)).toMatchObject([
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
    const kept = await rows("SELECT item FROM content WHERE tenant = $1 ORDER BY position", tenant);
    expect(kept.map((row) => (JSON.parse(String(row["item"])) as { text: string }).text)).toEqual(texts);
    const ledger = JSON.stringify(await rows("SELECT * FROM charge WHERE tenant = $1", tenant));
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
