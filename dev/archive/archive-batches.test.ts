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
import { describe, expect, it } from "vitest";
import { ArchiveStore } from "../../src/shared/archive/archive-store.ts";
import type { Database } from "../../src/shared/archive/database.ts";
import type { ArchivedTurn, ErasureKey } from "../../src/shared/archive/ports.ts";
import { archivedTurn } from "../../src/shared/archive/turn-fixture.ts";
import { connect } from "../../workers/archiver/postgres-database.ts";
import { freePort } from "../start/free-ports.ts";
import { listDeadLetters, replayDeadLetters } from "./archive-command.ts";
import { archiveUnderTest, newTenant } from "./archive-fixture.ts";
import { erasureKey, erases } from "./erasure-model.ts";
import { FakeQueue } from "./fake-queue.ts";

const world = archiveUnderTest();

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
          expect(await world.chargeIds(tenant)).toEqual(made.map(({ chargeId }) => chargeId).sort());
          const kept = made.filter((one) => !keys.some(([key, beforeMs]) => erases(key, beforeMs, one)));
          expect(await world.contentIds(tenant)).toEqual(kept.map(({ chargeId }) => chargeId).sort());
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
    expect(await world.chargeIds(tenant)).toHaveLength(30);
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
      expect(await world.chargeIds(tenant)).toHaveLength(99);
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
    expect(await world.chargeIds(tenant)).toEqual([`${tenant}-good`]);
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
    // Stands for newer code or a migration: here the message itself is repaired.
    await world.database.transaction((query) =>
      query("UPDATE dead_letter SET body = replace(body, '\\u0000', '-') WHERE tenant = $1", [tenant]),
    );
    expect(await replayDeadLetters(world.database)).toEqual({ written: 1, left: [] });
    expect(await world.chargeIds(tenant)).toEqual([`${tenant}-poison`]);
    expect(await world.contentIds(tenant)).toEqual([`${tenant}-poison`]);
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
      const letters = await world.rows("SELECT content, body FROM dead_letter WHERE tenant = $1", tenant);
      expect(letters).toHaveLength(1);
      expect(letters[0]?.["content"]).toBeNull();
      expect(letters[0]?.["body"]).not.toContain("Hello");
      await world.database.transaction((query) =>
        query("UPDATE dead_letter SET body = replace(body, '\\u0000', '-') WHERE tenant = $1", [tenant]),
      );
      await replayDeadLetters(world.database);
      expect(await world.chargeIds(tenant)).toHaveLength(1);
      expect(await world.contentIds(tenant)).toEqual([]);
    }
  });
});
