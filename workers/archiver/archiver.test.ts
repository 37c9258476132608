import {
  createExecutionContext,
  createMessageBatch,
  createScheduledController,
  getQueueResult,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env as bindings } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { ArchiveStore } from "../../src/shared/archive/archive-store.ts";
import { type ArchiveResult, consumeBatch } from "../../src/shared/archive/consume-batch.ts";
import type { Database } from "../../src/shared/archive/database.ts";
import type { ArchiveMessage } from "../../src/shared/archive/message.ts";
import { createQueueArchive } from "../../src/shared/archive/queue-archive.ts";
import { archivedTurn } from "../../src/shared/archive/turn-fixture.ts";
import { shardCount, shardName } from "../../src/shared/telemetry/metrics/hub-protocol.ts";
import type { ArchiverEnv } from "./env.ts";
import archiver from "./index.ts";

/** Nothing listens there. */
const away = { connectionString: "postgres://postgres@127.0.0.1:1/postgres" };

async function turns(
  count: number,
): Promise<{ id: string; timestamp: Date; attempts: number; body: unknown }[]> {
  const bodies: ArchiveMessage[] = [];
  const archive = createQueueArchive(
    { sendBatch: async (messages) => bodies.push(...messages.map(({ body }) => body)) },
    undefined,
  );
  for (let at = 0; at < count; at += 1) await archive.turn(archivedTurn({ chargeId: `charge-${at}` }));
  return bodies.map((body, at) => ({ id: `message-${at}`, timestamp: new Date(1_000), attempts: 1, body }));
}

describe("the archiver's queue handler", () => {
  it("has everything come again, later, while the database is away", async () => {
    const batch = createMessageBatch("edgewise-archive", await turns(3));
    const context = createExecutionContext();
    const env: ArchiverEnv = { HYPERDRIVE: away as Hyperdrive, METRICS_HUB: bindings.METRICS_HUB };
    await archiver.queue(batch, env, context);
    const result = await getQueueResult(batch, context);
    expect(result.outcome).toBe("ok");
    expect(result.explicitAcks).toEqual([]);
    expect(result.retryMessages.map(({ msgId }) => msgId)).toEqual(["message-0", "message-1", "message-2"]);
  });

  it("tells the hub what became of messages: of dead letters, each once that it is one", async () => {
    const env: ArchiverEnv = { HYPERDRIVE: away as Hyperdrive, METRICS_HUB: bindings.METRICS_HUB };
    const before = await archiveCounts();
    const messages = await turns(2);
    for (const attempts of [1, 2]) {
      const context = createExecutionContext();
      const batch = createMessageBatch(
        "edgewise-archive-dead",
        messages.map((message) => ({ ...message, attempts })),
      );
      await archiver.queue(batch, env, context);
      await getQueueResult(batch, context);
    }
    const after = await archiveCounts();
    const grown = (result: string) => (after.get(result) ?? 0) - (before.get(result) ?? 0);
    expect(["dead", "retried", "written"].map(grown)).toEqual([2, 4, 0]);
  });

  it("has its hourly run try again an hour later while the database is away", async () => {
    const reported = vi.spyOn(console, "error").mockReturnValue();
    const context = createExecutionContext();
    const env = { HYPERDRIVE: away, ARCHIVE_OBJECTS: { delete: () => undefined } } as unknown as ArchiverEnv;
    await archiver.scheduled(createScheduledController(), env, context);
    await waitOnExecutionContext(context);
    expect(JSON.stringify(reported.mock.calls)).toContain("archive-database");
    reported.mockRestore();
  });

  it("acknowledges what was written and nothing else", async () => {
    const counted: ArchiveResult[] = [];
    const batch = createMessageBatch("edgewise-archive", [
      ...(await turns(9)),
      { id: "unreadable", timestamp: new Date(1_000), attempts: 3, body: { v: 99 } },
    ]);
    const context = createExecutionContext();
    await consumeBatch(batch.messages, {
      store: new ArchiveStore(refusing("charge-4")),
      poison: "retry",
      report: () => undefined,
      count: (result) => counted.push(result),
      random: () => 0,
    });
    const result = await getQueueResult(batch, context);
    expect(result.explicitAcks).toEqual([0, 1, 2, 3, 5, 6, 7, 8].map((at) => `message-${at}`));
    expect(result.retryMessages.map(({ msgId }) => msgId).sort()).toEqual(["message-4", "unreadable"]);
    expect(counted.sort()).toEqual(["retried", "retried", ...Array<string>(8).fill("written")]);
  });

  it("acknowledges what was written before the database went away", async () => {
    const batch = createMessageBatch("edgewise-archive", await turns(4));
    const context = createExecutionContext();
    // Halved because of charge-3; the first half is written, then the connection breaks.
    let transactions = 0;
    const database = refusing("charge-3");
    await consumeBatch(batch.messages, {
      store: new ArchiveStore({
        transaction: (work) => {
          transactions += 1;
          return transactions > 2
            ? Promise.reject(new Error("CONNECTION_CLOSED"))
            : database.transaction(work);
        },
      }),
      poison: "retry",
      report: () => undefined,
      count: () => undefined,
      random: () => 0.5,
    });
    const result = await getQueueResult(batch, context);
    expect(result.explicitAcks).toEqual(["message-0", "message-1"]);
    expect(result.retryMessages.map(({ msgId }) => msgId)).toEqual(["message-2", "message-3"]);
  });
});

/** `edgewise_archive_messages_total` of all shards, by result. */
async function archiveCounts(): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (let shard = 0; shard < shardCount; shard += 1) {
    const { sums } = await bindings.METRICS_HUB.getByName(shardName(shard)).read();
    for (const { labels, values } of sums.find(({ metric }) => metric === "archiveMessages")?.series ?? [])
      counts.set(labels, (counts.get(labels) ?? 0) + (values[0] ?? 0));
  }
  return counts;
}

/** A database that can't write one charge, as PostgreSQL says it. */
function refusing(chargeId: string): Database {
  return {
    transaction: (work) =>
      work((_statement, parameters = []) =>
        parameters.some((parameter) => String(parameter).includes(`"${chargeId}"`))
          ? Promise.reject(Object.assign(new Error("unsupported Unicode escape sequence"), { code: "22P05" }))
          : Promise.resolve([]),
      ),
  };
}
